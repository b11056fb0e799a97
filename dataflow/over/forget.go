package over

import (
	"time"

	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// forgetting decides when partitions of keys are forgotten.
func (o *over) forgetting() {
	reach, near := o.spec.Near()
	switch {
	case o.spec.PerTime || len(o.spec.Keys) == 0:
	case near:
		o.near, o.idle = true, state.NewIdle(moment(reach)-moment(0)+2, lastWord, waitWord)
	default:
		o.idle = state.NewIdle(o.spec.TTL, lastWord, waitWord)
	}
}

// moment maps event times to positive numbers in their order; those that are apart by a nanosecond may become equal.
func moment(t int64) int64 { return t>>1 + 1<<62 }

// touch notes that a row has joined a partition.
func (o *over) touch(p *partition, id int32, at int64) {
	if o.idle.Never() {
		return
	}
	if o.near {
		at = max(1, moment(o.rows.Time(id)))
	}
	words, stride := o.partitions.Values()
	w := words[int(p.slot)*stride : int(p.slot)*stride+partWords]
	w[lastWord] = at
	if w[waitWord] == 0 {
		o.idle.Wait(w, p.slot)
	}
}

// forget drops a partition that is idle, unless rows in it wait for later ones.
func (o *over) forget(slot int32) {
	p := o.parts[slot]
	if p.waiting {
		words, stride := o.partitions.Values()
		w := words[int(slot)*stride : int(slot)*stride+partWords]
		if w[lastWord] = now(&o.env); o.near {
			w[lastWord] = max(1, moment(o.progress.Watermark))
		}
		o.idle.Wait(w, slot)
		return
	}
	for i := range o.frames {
		if f := &o.frames[i]; f.set != nil && p.frames[i].group >= 0 {
			f.groups.Delete(p.frames[i].group)
		}
	}
	o.drop(p, true)
	o.partitions.Delete(slot)
	o.parts[slot] = nil
}

// track lets the tables remember what is deleted for the next snapshot.
func (o *over) track() {
	if o.idle.Never() {
		return
	}
	o.partitions.Track()
	for i := range o.frames {
		if f := &o.frames[i]; f.set != nil && f.running {
			f.groups.Table.Track()
		}
	}
}

// resumeIdle lets partitions that were read back wait to be forgotten.
func (o *over) resumeIdle(r state.Reader) error {
	if o.idle.Never() {
		return nil
	}
	var gone int64
	if !o.near {
		var err error
		if gone, err = away(r, &o.env); err != nil {
			return err
		}
	}
	words, stride := o.partitions.Values()
	for _, slot := range o.partitions.Slots(nil) {
		w := words[int(slot)*stride : int(slot)*stride+partWords]
		w[lastWord] = max(1, w[lastWord]+gone)
		o.idle.Wait(w, slot)
	}
	return nil
}

// TickInterval implements operator.Ticker.
func (o *over) TickInterval() time.Duration {
	if o.idle.Never() || o.near {
		return 0
	}
	return max(time.Second, time.Duration(o.spec.TTL/256))
}

// Tick implements operator.Ticker: it forgets keys that have been idle for too long.
func (o *over) Tick(now time.Time, _ operator.Emitter) error {
	o.idle.Expired(max(1, now.UnixNano()), o.partitions, o.forget)
	o.metrics.StateBytes.Store(o.size())
	return nil
}
