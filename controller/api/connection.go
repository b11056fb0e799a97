package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"wadi/controller/connection"
	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
	"wadi/sql"
	"wadi/storage/meta"
)

type connectionProfilePost struct {
	Name      string          `json:"name"`
	Connector string          `json:"connector"`
	Config    json.RawMessage `json:"config"`
}

type connectionProfileShape struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Connector   string          `json:"connector"`
	Config      json.RawMessage `json:"config"`
	Description string          `json:"description"`
}

type connectionTablePost struct {
	Name                string             `json:"name"`
	Connector           string             `json:"connector"`
	ConnectionProfileID *string            `json:"connection_profile_id"`
	Config              json.RawMessage    `json:"config"`
	Schema              *connection.Schema `json:"schema"`
}

type connectionTableShape struct {
	ID                string                  `json:"id"`
	Name              string                  `json:"name"`
	CreatedAt         int64                   `json:"created_at"`
	Connector         string                  `json:"connector"`
	ConnectionProfile *connectionProfileShape `json:"connection_profile"`
	TableType         string                  `json:"table_type"`
	Config            json.RawMessage         `json:"config"`
	Schema            connection.Schema       `json:"schema"`
	Consumers         int                     `json:"consumers"`
	// Definition is ours: the table as SQL.
	Definition string `json:"definition"`
}

type autocompletion struct {
	Values map[string][]string `json:"values"`
}

type testSourceMessage struct {
	Error   bool   `json:"error"`
	Done    bool   `json:"done"`
	Message string `json:"message"`
}

func profileOf(p meta.Profile) connectionProfileShape {
	return connectionProfileShape{ID: p.ID, Name: p.Name, Connector: p.Connector, Config: p.Config}
}

func (s *server) getProfiles(w http.ResponseWriter, r *http.Request) error {
	profiles, err := s.DB.ListProfiles(r.Context())
	if err != nil {
		return err
	}
	out := list[connectionProfileShape]{Data: []connectionProfileShape{}}
	for _, p := range profiles {
		out.Data = append(out.Data, profileOf(p))
	}
	return ok(w, out)
}

// checkProfile reads and checks a profile.
func (s *server) checkProfile(r *http.Request) (p meta.Profile, err error) {
	var post connectionProfilePost
	if err := read(r, &post, false); err != nil {
		return p, err
	}
	decl, err := s.checkConnection("connection profile", post.Name, post.Connector)
	if err != nil {
		return p, err
	}
	if err := connection.CheckProfile(decl, post.Config); err != nil {
		return p, err
	}
	return meta.Profile{Name: post.Name, Connector: decl.Name, Config: orObject(post.Config)}, nil
}

// checkConnection checks what profiles and tables have in common.
func (s *server) checkConnection(what, name, connectorName string) (*connector.Declaration, error) {
	switch {
	case strings.TrimSpace(name) == "":
		return nil, badRequest("the " + what + " needs a name")
	case utf8.RuneCountInString(name) > maxName || strings.ContainsRune(name, 0):
		return nil, badRequest("the name of the " + what + " is too long, or holds a NUL byte")
	}
	decl, ok := s.Connectors.Lookup(connectorName)
	if !ok || decl.Hidden {
		return nil, badRequest("there is no connector " + connectorName)
	}
	return decl, nil
}

func orObject(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || string(raw) == "null" {
		return json.RawMessage("{}")
	}
	return raw
}

func (s *server) createProfile(w http.ResponseWriter, r *http.Request) error {
	p, err := s.checkProfile(r)
	if err != nil {
		return err
	}
	p, err = s.DB.CreateProfile(r.Context(), p)
	if fault.Is(err, fault.CodeConflict) {
		return badRequest("a connection profile with this name exists already")
	}
	if err != nil {
		return err
	}
	s.Saved()
	return ok(w, profileOf(p))
}

func (s *server) testProfile(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.checkProfile(r); err != nil {
		return ok(w, testSourceMessage{Error: true, Done: true, Message: messageOf(err)})
	}
	return ok(w, testSourceMessage{Done: true, Message: "The configuration is valid"})
}

func messageOf(err error) string {
	if e, ok := err.(*status); ok {
		return e.text
	}
	return fault.As(err).Error()
}

func (s *server) deleteProfile(w http.ResponseWriter, r *http.Request) error {
	err := s.DB.DeleteProfile(r.Context(), r.PathValue("id"))
	if fault.Is(err, fault.CodeNotFound) {
		return notFound("Connection profile")
	}
	if err != nil {
		return err
	}
	s.Saved()
	w.WriteHeader(http.StatusOK)
	return nil
}

// autocomplete has nothing to offer: no connector here can be asked for names.
func (s *server) autocomplete(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.DB.GetProfile(r.Context(), r.PathValue("id")); fault.Is(err, fault.CodeNotFound) {
		return notFound("Connection profile")
	} else if err != nil {
		return err
	}
	return ok(w, autocompletion{Values: map[string][]string{}})
}

func tableOf(t meta.Table) (connectionTableShape, error) {
	out := connectionTableShape{ID: t.ID, Name: t.Name, CreatedAt: t.CreatedAt, Connector: t.Connector, TableType: t.Type, Config: t.Config,
		Consumers: t.Consumers, Definition: t.Definition}
	if t.Profile != nil {
		p := profileOf(*t.Profile)
		out.ConnectionProfile = &p
	}
	return out, json.Unmarshal(t.Schema, &out.Schema)
}

func (s *server) getTables(w http.ResponseWriter, r *http.Request) error {
	p, err := page(r)
	if err != nil {
		return err
	}
	tables, more, err := s.DB.ListTables(r.Context(), p)
	if fault.Is(err, fault.CodeNotFound) {
		return badRequest("there is no connection table " + p.After)
	}
	if err != nil {
		return err
	}
	out := paginated[connectionTableShape]{Data: []connectionTableShape{}, HasMore: more}
	for _, t := range tables {
		one, err := tableOf(t)
		if err != nil {
			return err
		}
		out.Data = append(out.Data, one)
	}
	return ok(w, out)
}

// checkTable reads a table and checks it as the planner will.
func (s *server) checkTable(r *http.Request) (t meta.Table, err error) {
	var post connectionTablePost
	if err := read(r, &post, false); err != nil {
		return t, err
	}
	decl, err := s.checkConnection("connection table", post.Name, post.Connector)
	if err != nil {
		return t, err
	}
	t = meta.Table{Name: post.Name, Connector: decl.Name, Config: orObject(post.Config)}
	def := connection.Table{Name: post.Name, Connector: decl.Name, Config: post.Config, Schema: post.Schema}
	if id := post.ConnectionProfileID; id != nil && *id != "" {
		p, err := s.DB.GetProfile(r.Context(), *id)
		if fault.Is(err, fault.CodeNotFound) {
			return t, badRequest("there is no connection profile " + *id)
		}
		if err != nil {
			return t, err
		}
		t.Profile, def.Profile = &p, p.Name
	}
	if t.Definition, err = def.Definition(decl); err != nil {
		return t, err
	}
	o, err := s.Options(r.Context())
	if err != nil {
		return t, err
	}
	found, faults := sql.CheckTable(sql.SavedTable{Name: t.Name, Definition: t.Definition}, o)
	if len(faults) > 0 {
		return t, withoutPlace(faults[0])
	}
	t.Type = found.Use.String()
	t.Schema, err = schemaOf(post.Schema, found)
	return t, err
}

// withoutPlace leaves out the place in a text that the caller has not written.
func withoutPlace(f *fault.Error) error {
	c := *f
	c.Span = fault.Span{}
	return &c
}

// schemaOf is the schema that is kept: as it was given, with the names of types, and the columns that the connector brings.
func schemaOf(given *connection.Schema, found sql.Table) (json.RawMessage, error) {
	var out connection.Schema
	if given != nil {
		out = *given
	}
	if len(out.Fields) == 0 {
		out.Fields = connection.FieldsOf(found.Columns)
		inferred := len(out.Fields) == 0
		out.Inferred = &inferred
	}
	out.Named()
	if out.PrimaryKeys == nil {
		out.PrimaryKeys = []string{}
	}
	return json.Marshal(out)
}

func (s *server) createTable(w http.ResponseWriter, r *http.Request) error {
	t, err := s.checkTable(r)
	if err != nil {
		return err
	}
	t, err = s.DB.CreateTable(r.Context(), t)
	if fault.Is(err, fault.CodeConflict) {
		return badRequest("a connection table with this name exists already")
	}
	if err != nil {
		return err
	}
	s.Saved()
	body, err := tableOf(t)
	if err != nil {
		return err
	}
	return ok(w, body)
}

// testTable answers with one event: connectors are asked nothing, so a table is as good as its definition.
func (s *server) testTable(w http.ResponseWriter, r *http.Request) error {
	m := testSourceMessage{Done: true, Message: "The configuration is valid"}
	if _, err := s.checkTable(r); err != nil {
		m.Error, m.Message = true, messageOf(err)
	}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write([]byte("data: " + string(b) + "\n\n"))
	return nil
}

func (s *server) testSchema(w http.ResponseWriter, r *http.Request) error {
	var schema connection.Schema
	if err := read(r, &schema, false); err != nil {
		return err
	}
	if err := schema.Check(); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *server) deleteTable(w http.ResponseWriter, r *http.Request) error {
	err := s.DB.DeleteTable(r.Context(), r.PathValue("id"))
	if fault.Is(err, fault.CodeNotFound) {
		return notFound("Connection table")
	}
	if err != nil {
		return err
	}
	s.Saved()
	w.WriteHeader(http.StatusOK)
	return nil
}
