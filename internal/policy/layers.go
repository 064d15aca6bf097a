package policy

// Module is the path of the module that the rules are for.
const Module = "github.com/stet-dev/stet"

// layers is the order of the packages (docs/design.md): a package imports only packages of
// earlier layers, never one of its own. So an engine cannot import an engine, nor anything
// that imports one.
//
// A package that is missing here is refused: whoever adds one decides where it stands.
var layers = [][]string{
	// The leaves: canonical content, the contract of an engine, and helpers of one noun.
	{"driver", "internal/digits", "internal/disk", "internal/lines", "internal/near", "internal/ownfile", "internal/plainjson", "internal/sieve", "internal/visible"},
	{"content", "internal/testkit", "internal/filelock"},
	{"internal/temp"},
	// The domain, which callers import.
	{"."},
	{"internal/selector", "internal/dbfile", "internal/socket", "internal/conns"},
	// The one state machine.
	{"core"},
	// What keeps a store: engines, and the client of a server.
	{"memory", "sqlite", "postgres", "object", "client", "internal/remote"},
	// What works with any store.
	{"drivertest", "internal/term", "internal/transfer", "internal/race", "httpapi/keys"},
	{"internal/diff", "open"},
	// Protocols.
	{"httpapi", "langfuse", "mcp", "web"},
	// Programs.
	{"cmd/stet", "examples/quickstart", "drivertest/mutants", "internal/policy", "internal/crash", "internal/corrupt", "internal/metamorphic"},
}

// pure are the packages that do no I/O and start no clock. They are given what they need.
// They import nothing from outside but pureImports.
var pure = []string{".", "core", "content", "internal/selector", "driver", "internal/near", "internal/digits", "internal/plainjson", "internal/sieve", "internal/visible"}

// pureImports are the imports from outside that pure packages may have. None can
// open a file or a connection; io is there for the readers that a caller gives.
var pureImports = set(
	"bytes", "cmp", "context", "errors", "fmt", "hash", "hash/fnv", "hash/maphash", "io", "iter", "maps", "math", "math/bits", "slices", "sort",
	"strconv", "strings", "unicode", "unicode/utf8", "unique",
	"crypto/sha256", "encoding/base64", "encoding/binary", "encoding/hex", "encoding/json",
	"runtime", "sync", "sync/atomic", "time", "container/list", "container/heap", "math/rand/v2",
	"github.com/Masterminds/semver/v3", "github.com/go-json-experiment/json", "github.com/go-json-experiment/json/jsontext",
	"github.com/google/uuid", "github.com/puzpuzpuz/xsync/v4", "github.com/tidwall/btree", "golang.org/x/text/unicode/norm",
)

// exceptions excuse a file or package from one rule. An exception that excuses nothing is
// itself a violation.
var exceptions = map[exception]string{}

type exception struct {
	rule string
	path string
}

func set(items ...string) map[string]bool {
	m := make(map[string]bool, len(items))
	for _, s := range items {
		m[s] = true
	}
	return m
}
