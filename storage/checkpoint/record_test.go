package checkpoint

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"wadi/dataflow/fault"
)

func FuzzManifestBody(f *testing.F) {
	wm := int64(-1 << 63)
	m := Manifest{Version: 1, PipelineID: "pl_1", JobID: "job_1", Generation: 1, Epoch: 2, Operators: []Operator{{ID: "a", Parallelism: 2,
		Subtasks: []Subtask{{Index: 1, WatermarkNanos: &wm, CommitData: map[string][]byte{"k": {0, 255}}}},
		Tables:   []Table{{Name: "t", Kind: Keyed, Files: []File{{Ref: "generations/1/checkpoints/checkpoint-0000002/operator-a/table-t-001-u", MaxHash: 1<<64 - 1}}}}}}}
	whole, err := json.Marshal(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(whole))
	f.Add(`{"epoch":1,"generation":1,"operators":null}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, body string) {
		data := fmt.Appendf(nil, "{\"version\":1,\"crc32c\":\"%08x\",\"body\":%s}\n", checksum([]byte(body)), body)
		m, err := decodeManifest("k", data)
		if err != nil {
			if !fault.Is(err, CodeCorrupt) {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := encode(m)
		if err != nil {
			t.Fatal(err)
		}
		n, err := decodeManifest("k", again)
		if err != nil || !reflect.DeepEqual(m, n) {
			t.Fatalf("%+v\n%+v\n%v", m, n, err)
		}
	})
}

// TestEveryFlippedBitIsFound damages an encoded record one bit at a time.
func TestEveryFlippedBitIsFound(t *testing.T) {
	r := epochRecord{owner{"pl_1", "job_1"}, 7, 3, manifestRef(2, 6), manifestRef(3, 7), true, 5}
	data, err := encode(r)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		for bit := range 8 {
			damaged := append([]byte{}, data...)
			damaged[i] ^= 1 << bit
			var got epochRecord
			if err := decode("k", damaged, &got); err == nil && got != r {
				t.Fatalf("byte %d bit %d: read as %+v", i, bit, got)
			}
		}
	}
}
