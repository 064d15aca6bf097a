package peers

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
)

// originalStore is the program of the peer; it can be run by itself as well.
//
//go:embed original_store.py
var originalStore []byte

// pythonVersions is the length of the history in which latest is looked up.
const pythonVersions = 1000

// python compares latest with the store that stet began with. Each side is timed
// from within its own language, on one thread and in one prompt, so that neither
// starting an interpreter nor talking to it counts.
func python() []measure {
	r := read{selector: "latest", workers: 1, versions: pythonVersions}
	return []measure{{
		name: "memory Get latest of 1,000 versions", peer: "the original store, in Python",
		better: atLeast, target: 10_000, noAllocs: true,
		stet: r.stet, against: pythonLatest,
	}}
}

// pythonLatest is the side that runs original_store.py, once a lap.
func pythonLatest(e *env) (side, error) {
	exe, err := exec.LookPath("python3")
	if err != nil {
		return nil, leftOut("python3 is not installed, so stet was NOT compared with the original store")
	}
	return func() (sample, error) {
		cmd := exec.CommandContext(e.ctx, exe, "-",
			strconv.Itoa(pythonVersions), fmt.Sprint(e.lap.Seconds()))
		cmd.Stdin = bytes.NewReader(originalStore)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return sample{}, fmt.Errorf("original_store.py: %w", err)
		}
		var took struct {
			Latest float64 `json:"latest_ns"`
		}
		if err := json.Unmarshal(out, &took); err != nil || took.Latest <= 0 {
			return sample{}, fmt.Errorf("original_store.py printed %q, not its times (%v)", out, err)
		}
		return sample{nanos: took.Latest}, nil
	}, nil
}
