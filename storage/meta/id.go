package meta

import (
	"crypto/rand"
	"math/big"
)

const (
	idLength   = 10
	idAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// Prefixes of ids.
const (
	PipelinePrefix   = "pl"
	JobPrefix        = "job"
	CheckpointPrefix = "chk"
	LogPrefix        = "jlm"
	ProfilePrefix    = "cp"
	TablePrefix      = "ct"
)

// NewID makes an id such as "pl_4fT0aZk9Qx": the prefix, an underscore, ten random letters and digits.
func NewID(prefix string) string {
	id := make([]byte, 0, len(prefix)+1+idLength)
	id = append(append(id, prefix...), '_')
	for range idLength {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(idAlphabet))))
		if err != nil {
			panic(err) // crypto/rand does not fail
		}
		id = append(id, idAlphabet[n.Int64()])
	}
	return string(id)
}
