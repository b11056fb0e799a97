// Package redis looks rows up in Redis: a key's string value is the row, in the table's format.
//
// The keys of a batch are asked for by one MGET, or in a cluster by GETs in one pipeline, which the client divides among the
// nodes. It blocks until the answer is there, connections and retries included; when there is none the fault is transient.
package redis

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"wadi/dataflow/column"
	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/operator"
)

// keyMetadata is the metadata column with the key of a value.
const keyMetadata = "key"

// Declaration declares the connector. The client's own log is silent: what it has to say is in the faults.
func Declaration() *connector.Declaration {
	logging.Disable()
	return &connector.Declaration{
		Name: "redis", Doc: "Looks rows up in Redis: the string value of a key is the row.", Uses: connector.Lookup, Formats: true,
		LookupKey: keyMetadata,
		Options: append([]connector.Option{
			{Name: "type", Type: connector.String, Values: []string{"lookup"}, Doc: "that the table is looked up by its primary key"},
			{Name: "address", Type: connector.String, Check: checkAddress, Doc: "the server, as redis://host:6379, or rediss:// for TLS"},
			{Name: "cluster.addresses", Type: connector.List, Check: checkAddresses, Doc: "servers of a cluster, instead of address"},
			{Name: "username", Type: connector.String, Doc: "user to log in as"},
			{Name: "password", Type: connector.String, Doc: "password of the user"},
		}, connector.LookupOptions()...),
		Metadata:  []connector.MetadataColumn{{Key: keyMetadata, Type: arrow.BinaryTypes.String, Doc: "key of the value"}},
		Validate:  validate,
		Describe:  func(o map[string]string) string { return "Redis<" + servers(o) + ">" },
		NewLookup: newLookup,
	}
}

func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err == nil && u.Hostname() != "" && (u.Scheme == "redis" || u.Scheme == "rediss") {
		if _, err = redis.ParseURL(address); err == nil {
			return nil
		}
	}
	return fault.Userf(fault.CodeInvalid, fault.Span{}, "this is no address of a Redis server").WithHint("write address = 'redis://host:6379'")
}

func checkAddresses(list string) error {
	for _, a := range strings.Split(list, ",") {
		if err := checkAddress(a); err != nil {
			return err.(*fault.Error).WithHint("write 'cluster.addresses' = 'redis://a:6379,redis://b:6379'")
		}
	}
	return nil
}

func validate(_ connector.Use, o map[string]string) error {
	switch one, many := o["address"] != "", o["cluster.addresses"] != ""; {
	case one && many:
		return fault.Userf(connector.CodeOptionValue, fault.Span{}, "a table has either the option \"address\" or \"cluster.addresses\"").
			WithHint("leave address out for a cluster")
	case !one && !many:
		return fault.Userf(connector.CodeMissingOption, fault.Span{}, "connector \"redis\" needs the option \"address\"").
			WithHint("add address = 'redis://host:6379', or 'cluster.addresses' for a cluster")
	}
	return nil
}

// servers names the servers without user and password.
func servers(o map[string]string) string {
	list := o["address"]
	if list == "" {
		list = o["cluster.addresses"]
	}
	var hosts []string
	for _, a := range strings.Split(list, ",") {
		if u, err := url.Parse(a); err == nil {
			hosts = append(hosts, u.Host)
		}
	}
	return strings.Join(hosts, ",")
}

// lookup is one subtask's connection.
type lookup struct {
	config  connector.LookupConfig
	client  redis.UniversalClient
	cluster bool
	decoder format.Decoder
	// keys and values are those of the call at hand, current the key being decoded.
	keys    []string
	values  []any
	current string
	at      []int32
}

func newLookup(c connector.LookupConfig) (operator.Lookup, error) {
	l := &lookup{config: c, cluster: c.Table.Options["address"] == ""}
	var err error
	if l.decoder, err = c.NewDecoder(); err != nil {
		return nil, err
	}
	if m, ok := l.decoder.(format.MetadataDecoder); ok {
		m.SetMetadata(func(_ int, to column.Appender) { to.(*column.Bytes).AppendString(l.current) })
	}
	o, err := options(c.Table.Options)
	if err != nil {
		return nil, err
	}
	l.client = redis.NewUniversalClient(o)
	return l, nil
}

func options(o map[string]string) (*redis.UniversalOptions, error) {
	list := o["address"]
	if list == "" {
		list = o["cluster.addresses"]
	}
	out := &redis.UniversalOptions{IsClusterMode: o["address"] == ""}
	for _, a := range strings.Split(list, ",") {
		p, err := redis.ParseURL(a)
		if err != nil {
			return nil, checkAddress(a)
		}
		out.Addrs = append(out.Addrs, p.Addr)
		out.Username, out.Password, out.DB, out.TLSConfig = p.Username, p.Password, p.DB, p.TLSConfig
	}
	if o["username"] != "" {
		out.Username = o["username"]
	}
	if o["password"] != "" {
		out.Password = o["password"]
	}
	return out, nil
}

// Fetch implements operator.Lookup.
func (l *lookup) Fetch(ctx context.Context, keys []column.Vector, n int) (*column.Batch, []int32, error) {
	texts, ok := keys[0].(*column.Bytes)
	if !ok || len(keys) != 1 {
		return nil, nil, fault.Internalf("redis: the key is not one text")
	}
	l.keys = l.keys[:0]
	for i := range n {
		l.keys = append(l.keys, strings.Clone(texts.Str(i)))
	}
	var err error
	if l.cluster {
		err = l.getEach(ctx)
	} else {
		l.values, err = l.client.MGet(ctx, l.keys...).Result()
	}
	if err != nil {
		return nil, nil, l.explain(ctx, err)
	}
	return l.decode()
}

// getEach asks for keys that may lie on different nodes of a cluster.
func (l *lookup) getEach(ctx context.Context) error {
	pipe := l.client.Pipeline()
	answers := make([]*redis.StringCmd, len(l.keys))
	for i, k := range l.keys {
		answers[i] = pipe.Get(ctx, k)
	}
	// A key that is not there fails the pipeline as well, so each answer is looked at.
	_, _ = pipe.Exec(ctx)
	l.values = l.values[:0]
	for _, a := range answers {
		text, err := a.Result()
		switch {
		case err == nil:
			l.values = append(l.values, text)
		case errors.Is(err, redis.Nil) || strings.HasPrefix(err.Error(), "WRONGTYPE"):
			l.values = append(l.values, nil)
		default:
			return err
		}
	}
	return nil
}

// decode turns the values into rows.
func (l *lookup) decode() (*column.Batch, []int32, error) {
	now := l.config.Env.Clock.Now().UnixNano()
	l.at = l.at[:0]
	for i, v := range l.values {
		at := int32(-1)
		if text, ok := v.(string); ok {
			l.current = l.keys[i]
			before := l.decoder.Rows()
			l.config.Env.Metrics.BytesIn.Add(int64(len(text)))
			if err := l.decoder.Decode([]byte(text), now); err != nil {
				if err := l.bad(err); err != nil {
					return nil, nil, err
				}
			} else if l.decoder.Rows() > before {
				at = int32(before)
			}
		}
		l.at = append(l.at, at)
	}
	return l.decoder.Take(), l.at, nil
}

// bad applies the table's policy to a value that could not be decoded.
func (l *lookup) bad(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	f.Record.Source = "redis " + servers(l.config.Table.Options)
	if !l.config.Table.Format.DropBadData || f.Kind != fault.Data {
		return f
	}
	l.config.Env.Metrics.BadRecords.Add(1)
	if l.config.Env.Report != nil {
		l.config.Env.Report(f)
	}
	return nil
}

// explain turns an error of the client into a fault.
func (l *lookup) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	where := servers(l.config.Table.Options)
	text := err.Error()
	for _, p := range []string{"NOAUTH", "WRONGPASS", "NOPERM", "ERR AUTH", "ERR invalid password"} {
		if strings.HasPrefix(text, p) {
			return fault.Userf(fault.CodeIO, fault.Span{}, "the Redis server %s refuses the user", where).
				WithHint("give the options username and password, and the user the right to GET")
		}
	}
	var d *net.DNSError
	if errors.As(err, &d) && d.IsNotFound {
		return fault.Transientf(err, "there is no host for the Redis server %s", where).WithHint("check the address, and the name service")
	}
	return fault.Transientf(err, "the Redis server %s does not answer", where).WithHint("check that it runs and can be reached; the job goes on when it does")
}

// Close implements operator.Lookup.
func (l *lookup) Close() error { return l.client.Close() }
