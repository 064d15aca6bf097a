package content

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
)

type vectors struct {
	Vectors []struct{ Name, Note, Input, Canonical, Digest string }
	Refused []struct{ Name, Code, Input string }
}

// TestVectors compares with what testdata/digest_vectors.py computed, and holds
// docs/digest.md to the same vectors.
func TestVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/digest-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../docs/digest.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Vectors) < 12 || strings.Count(string(doc), "\n`sha256:") != len(v.Vectors) {
		t.Errorf("%d vectors, %d in docs/digest.md", len(v.Vectors), strings.Count(string(doc), "\n`sha256:"))
	}
	for _, x := range v.Vectors {
		t.Run(x.Name, func(t *testing.T) {
			c := must(t, decode(t, x.Input))
			if got := string(c.AppendCanonical(nil)); got != x.Canonical {
				t.Errorf("canonical\n got %s\nwant %s", got, x.Canonical)
			}
			if got := c.Digest().String(); got != x.Digest {
				t.Errorf("digest\n got %s\nwant %s", got, x.Digest)
			}
			if !strings.Contains(string(doc), "**"+x.Name+".** "+x.Note+"\n\n```json\n"+x.Input+"\n```\n\n`"+x.Digest+"`,") {
				t.Error("docs/digest.md has not this vector; run testdata/digest_vectors.py")
			}
			checkRoundTrip(t, c)
		})
	}
	for _, x := range v.Refused {
		t.Run(x.Name, func(t *testing.T) {
			var s Spec
			if err := jsonv2.Unmarshal([]byte(x.Input), &s); err != nil {
				return // refused even earlier
			}
			_, err := New(s)
			wantError(t, err, x.Code, "")
		})
	}
}

func TestDigestText(t *testing.T) {
	d := must(t, Spec{Text: new("Hello")}).Digest()
	const want = "sha256:b77f10947dc7bf1852903a87665f6ff726d3ec79c811a2e0b510159e463e41ce"
	if d.String() != want || d.IsZero() {
		t.Errorf("got %s", d)
	}
	b, err := json.Marshal(map[string]Digest{"digest": d})
	if err != nil || string(b) != `{"digest":"`+want+`"}` {
		t.Errorf("got %s, %v", b, err)
	}
	var back map[string]Digest
	if err := json.Unmarshal(b, &back); err != nil || back["digest"] != d {
		t.Errorf("got %v, %v", back, err)
	}
	for _, bad := range []string{"", "sha256:", want[:70], want + "0", want[7:], "sha512" + want[6:], strings.ToUpper(want), "sha256:" + strings.ToUpper(want[7:]), want[:70] + "g"} {
		got, err := ParseDigest(bad)
		wantError(t, err, codeInvalid, "is not a digest")
		keep := d
		if !got.IsZero() || keep.UnmarshalText([]byte(bad)) == nil || keep != d {
			t.Errorf("%q was taken or changed the digest", bad)
		}
	}
}

// TestAppendAllocates: the canonical form goes into the caller's buffer and takes
// no memory besides; so a digest takes none, once its buffer is there.
func TestAppendAllocates(t *testing.T) {
	c := must(t, Spec{Text: &benchText})
	buf := make([]byte, 0, 2*len(benchText))
	if n := testing.AllocsPerRun(100, func() { buf = c.AppendCanonical(buf[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
