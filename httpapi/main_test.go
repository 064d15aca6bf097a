package httpapi

import (
	"testing"

	"github.com/stet-dev/stet/internal/testkit"
)

func TestMain(m *testing.M) {
	testkit.Main(m, map[string]func(args []string) error{"attacked": attacked})
}
