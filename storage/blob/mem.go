package blob

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"time"

	"wadi/dataflow/clock"
	"wadi/dataflow/fault"
)

// memory is a bucket for tests.
type memory struct {
	clock clock.Clock

	mu      sync.RWMutex
	objects map[string]memObject
}

type memObject struct {
	data  []byte
	mtime time.Time
}

func notFound(where string) error {
	return fault.Userf(fault.CodeNotFound, fault.Span{}, "%s does not exist", where)
}

func (m *memory) get(_ context.Context, key string, off, n int64) ([]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	o, ok := m.objects[key]
	if !ok {
		return nil, notFound("mem object " + key)
	}
	off = min(off, int64(len(o.data)))
	data := o.data[off:]
	if n >= 0 {
		data = data[:min(n, int64(len(data)))]
	}
	return bytes.Clone(data), nil
}

func (m *memory) put(_ context.Context, key string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects[key] = memObject{append([]byte{}, data...), m.clock.Now()}
	return nil
}

func (m *memory) create(_ context.Context, key string, data []byte, _ string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.objects[key]; ok {
		return false, nil
	}
	m.objects[key] = memObject{append([]byte{}, data...), m.clock.Now()}
	return true, nil
}

func (m *memory) list(_ context.Context, prefix string) ([]Info, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var infos []Info
	for k, o := range m.objects {
		if strings.HasPrefix(k, prefix) {
			infos = append(infos, Info{Key: k, Size: int64(len(o.data)), ModTime: o.mtime})
		}
	}
	return infos, nil
}

func (m *memory) remove(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, key)
	return nil
}

func (m *memory) dir() (string, bool) { return "", false }

func (m *memory) close() error { return nil }
