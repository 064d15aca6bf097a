package corrupt

import (
	"flag"
	"math/rand/v2"
	"testing"

	"go.uber.org/goleak"
)

var (
	seedFlag = flag.Uint64("seed", 0, "the seed of what is damaged; 0 takes one at random")
	long     = flag.Bool("long", false, "run the long form")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// seeded returns what is drawn from the test's seed, which is said.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()>>1 | 1
	}
	form := ""
	if *long {
		form = " -long"
	}
	t.Logf("| to repeat it: go test -count=1 -v -run '^%s$' ./internal/corrupt -seed %d%s", t.Name(), seed, form)
	return rand.New(rand.NewPCG(seed, 0))
}

// times returns how often something is tried.
func times(short, longer int) int {
	if *long {
		return longer
	}
	return short
}
