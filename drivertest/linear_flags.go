package drivertest

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "the seed of random calls and faults; a new one each time if 0 (or STET_SEED)")
	roundFlag = flag.Float64("rounds", 1, "how many times the usual number of random histories to try")
	keepFlag  = flag.String("histories", filepath.Join(os.TempDir(), "stet-histories"), "where to save histories that fail")
)

// seed returns the seed to begin with. It repeats the calls and the faults, not
// what the scheduler does with them.
func seed() uint64 {
	s := *seedFlag
	if s == 0 {
		s, _ = strconv.ParseUint(os.Getenv("STET_SEED"), 10, 64)
	}
	if s == 0 {
		s = rand.Uint64()
	}
	return s
}

func rounds(n int) int { return max(1, int(float64(n)**roundFlag)) }

// budget returns what tells when a random case has run long enough, -rounds times
// that: an engine that syncs tries less than one in memory.
func budget(usual time.Duration) (enough func() bool) {
	begun := time.Now()
	return func() bool { return time.Since(begun) > time.Duration(float64(usual)**roundFlag) }
}
