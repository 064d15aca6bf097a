package load

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// A Corpus makes up prompts that look like those people write: ids with areas and
// topics, texts of sentences, and an edit of one sentence from a version to the
// next. It is the same for the same Seed and Size, on every machine.
type Corpus struct {
	Seed uint64
	Size int // bytes of a text
}

// Prefix begins the id of every prompt that this package makes. A store that has
// others is somebody's, and is not written to.
const Prefix = "bench/"

// LongID is the prompt with the long history.
const LongID = Prefix + "history/long"

var (
	areas  = []string{"support", "sales", "billing", "search", "docs", "code-review", "onboarding", "moderation"}
	topics = []string{"triage", "reply", "summary", "translate", "classify", "extract", "rewrite", "judge", "route", "greet"}
)

// ID returns the id of the i-th prompt.
func (c Corpus) ID(i int) string {
	h := mix(c.Seed, uint64(i), 0)
	return Prefix + areas[h%uint64(len(areas))] + "/" + topics[h>>8%uint64(len(topics))] + "-" + strconv.Itoa(100_000 + i)[1:]
}

// sentences is what texts are made of: enough that two prompts have few in common.
var sentences = func() []string {
	var (
		who   = []string{"the customer", "the reader", "the reviewer", "an agent", "the team", "a new user", "the account owner", "the operator"}
		does  = []string{"asks about", "describes", "complains about", "wants to change", "cannot find", "has paid for", "compares", "refers to"}
		what  = []string{"an order", "an invoice", "the delivery date", "a refund", "the contract", "an error message", "a subscription", "the last release", "a missing file", "two plans"}
		tell  = []string{"answer in one short paragraph", "ask for the number first", "quote the sentence that you rely on", "list the steps in order", "say so plainly", "do not guess", "give the date in ISO 8601", "hand over to a person", "keep the tone calm and friendly", "return JSON and nothing else"}
		order = []string{"If %, %.", "When %, %.", "Where %, always %.", "Even if %, %.", "Should it happen that %, then %."}
	)
	r := rand.New(rand.NewPCG(1, 2)) // any: it only has to be the same everywhere
	pick := func(s []string) string { return s[r.IntN(len(s))] }
	all := make([]string, 4096)
	for i := range all {
		form := pick(order)
		form = strings.Replace(form, "%", pick(who)+" "+pick(does)+" "+pick(what), 1)
		all[i] = strings.Replace(form, "%", pick(tell), 1) + " "
	}
	return all
}()

// sentenceLen is about how long one is: it says how many versions pass until each
// sentence of a text has been edited once.
const sentenceLen = 80

// Text returns the text of a prompt's n-th version, from 0. The next version
// differs in one sentence. The first line tells prompt and version apart from all
// others; see [Corpus.Edition].
func (c Corpus) Text(id string, n int) string {
	size := max(c.Size, len(id)+64)
	b := make([]byte, 0, size+128)
	b = append(b, "# "...)
	b = append(b, id...)
	b = append(b, ", edition "...)
	b = strconv.AppendInt(b, int64(n), 10)
	b = append(b, "\nYou help {{company}}.\n"...)
	var h uint64 = 14695981039346656037 // FNV-1a of the id
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	period := size/sentenceLen + 1
	for i := 0; len(b) < size-len(input); i++ {
		b = append(b, sentences[mix(c.Seed^h, uint64(i), uint64((n+i)/period))%uint64(len(sentences))]...)
	}
	return string(append(b[:size-len(input)], input...))
}

const input = "\n\n{{input}}"

// Edition returns what n was of a text that Text made for id.
func (c Corpus) Edition(id, text string) (n int, ok bool) {
	rest, ok := strings.CutPrefix(text, "# "+id+", edition ")
	if !ok {
		return 0, false
	}
	digits, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.Atoi(digits)
	return n, err == nil
}

// mix is SplitMix64 over three numbers.
func mix(a, b, c uint64) uint64 {
	x := a*0x9e3779b97f4a7c15 ^ b*0xbf58476d1ce4e5b9 ^ c*0x94d049bb133111eb
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
