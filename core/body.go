package core

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/internal/sieve"
)

// bodyFields is the form in which a body's Fields are stored: what a version has
// beside its text and what its place in the log says. Absent members have their
// default. The form is part of the file format.
type bodyFields struct {
	Type      string          `json:"type,omitempty"` // "text" if absent
	Config    json.RawMessage `json:"config,omitempty"`
	Template  string          `json:"template,omitempty"`
	Metadata  json.RawMessage `json:"metadata,omitempty"`
	Parents   []string        `json:"parents,omitempty"`
	Author    string          `json:"author,omitempty"`
	Message   string          `json:"message,omitempty"`
	CreatedAt time.Time       `json:"created_at"`
}

// appendFields appends the stored form of f's Fields.
func appendFields(dst []byte, f *stet.VersionFields) []byte {
	dst = append(dst, '{')
	if f.Content.Type() != content.TypeText {
		dst = append(dst, `"type":"`...)
		dst = append(dst, f.Content.Type()...)
		dst = append(dst, `",`...)
	}
	if cfg := f.Content.Config(); cfg != "{}" {
		dst = append(dst, `"config":`...)
		dst = append(dst, cfg...)
		dst = append(dst, ',')
	}
	if t := f.Content.Template(); t != content.TemplateBraces {
		dst = append(dst, `"template":"`...)
		dst = append(dst, t...)
		dst = append(dst, `",`...)
	}
	if f.Metadata != "{}" {
		dst = append(dst, `"metadata":`...)
		dst = append(dst, f.Metadata...)
		dst = append(dst, ',')
	}
	if len(f.Parents) > 0 {
		dst = append(dst, `"parents":[`...)
		for i, p := range f.Parents {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = content.AppendQuote(dst, p)
		}
		dst = append(dst, `],`...)
	}
	if f.Author != "" {
		dst = append(dst, `"author":`...)
		dst = content.AppendQuote(dst, f.Author)
		dst = append(dst, ',')
	}
	if f.Message != "" {
		dst = append(dst, `"message":`...)
		dst = content.AppendQuote(dst, f.Message)
		dst = append(dst, ',')
	}
	dst = append(dst, `"created_at":"`...)
	dst = stet.AppendTime(dst, f.CreatedAt)
	return append(dst, `"}`...)
}

// bodyText returns the text that is stored of a content.
func bodyText(c content.Content) string {
	if c.Type() == content.TypeChat {
		return c.Messages()
	}
	return c.Text()
}

// seal binds a version's fields to its content: SHA-256 over the digest and the
// stored fields. The log has it, so that a body cannot change unnoticed.
func seal(d content.Digest, fields string) stet.Hash {
	buf := make([]byte, 0, 512)
	buf = append(buf, d[:]...)
	buf = append(buf, fields...)
	return sha256.Sum256(buf)
}

// sealCheck is what a version keeps of its seal: two bytes, for which there is room
// anyway. A read misses damage to the fields once in 65,536 times; Verify compares the
// whole seal.
func sealCheck(s stet.Hash) uint16 { return uint16(s[0]) | uint16(s[1])<<8 }

// decodeBody makes the content and the other fields of a stored body. The
// caller fills in where it stands.
func decodeBody(text, fields string) (stet.VersionFields, error) {
	var b bodyFields
	if err := json.Unmarshal([]byte(fields), &b); err != nil {
		return stet.VersionFields{}, err
	}
	spec := content.Spec{Type: b.Type, Config: b.Config, Template: b.Template, Limit: -1}
	if b.Type == content.TypeChat {
		spec.Messages = json.RawMessage(text)
	} else {
		spec.Text = &text
	}
	c, err := content.New(spec)
	if err != nil {
		return stet.VersionFields{}, err
	}
	metadata := "{}"
	if len(b.Metadata) > 0 {
		metadata = string(b.Metadata)
	}
	return stet.VersionFields{
		Content: c, Digest: c.Digest(), Metadata: metadata, Parents: b.Parents,
		Author: b.Author, Message: b.Message, CreatedAt: b.CreatedAt.UTC(),
	}, nil
}

func bodyRef(id string, v *version) driver.BodyRef {
	return driver.BodyRef{
		Revision: v.revision, Op: int(v.op), PromptID: id,
		Version: v.number.String(), Ordinal: uint64(v.ordinal),
	}
}

// errGone means that a version that a head names has no body any more, because it
// was deleted after the head was loaded. The reader resolves again.
var errGone = errors.New("core: the body is gone")

// read returns the content of v for a reader who has found v in a head. The error is
// errGone only if there is a newer head, without v.
func (c *core) read(ctx context.Context, id string, v *version) (stet.Version, error) {
	r, err := c.body(ctx, id, v)
	if err != errGone {
		return r, err
	}
	deleted, err := c.deleted(ctx, id, v)
	switch {
	case err != nil:
		return stet.Version{}, err
	case !deleted:
		return stet.Version{}, missing(id, v)
	case ctx.Err() != nil: // others delete what the caller asks for, again and again
		return stet.Version{}, cutShort(ctx, ctx.Err(), id, v)
	}
	return stet.Version{}, errGone
}

// deleted reports whether v has been deleted. If the commit that did so is in the log and
// not published yet, deleted publishes it, rather than wait for the writer.
func (c *core) deleted(ctx context.Context, id string, v *version) (bool, error) {
	if !c.lives(id, v) {
		return true, c.refuseClosed()
	}
	var err error
	if c.info.Exclusive {
		c.state.Lock()
		for more := true; more && err == nil; {
			more, err = c.catchUp(ctx)
		}
		c.state.Unlock()
	} else {
		err = c.catchUpToTail(ctx)
	}
	if err == nil {
		err = c.refuseClosed()
	}
	return !c.lives(id, v), err
}

func missing(id string, v *version) error {
	return stet.Errorf(stet.CodeInternal, "the text of %s@%s is missing in the store. Run: stet verify", id, v.number)
}

func cutShort(ctx context.Context, err error, id string, v *version) error {
	return stet.WrapError(err, stet.CodeUnavailable, "reading %s@%s was cut short: %v.", id, v.number, context.Cause(ctx))
}

// body returns the content of v, from the cache or from the engine.
//
// What the engine returns is checked against the digest and the seal that the log has, so
// that a text that was damaged on the disk is an error and never an answer.
func (c *core) body(ctx context.Context, id string, v *version) (stet.Version, error) {
	if b := v.body.Load(); b != nil {
		c.cache.touch(b)
		c.stats.hits.Add(1)
		return b.asOf(v.revision), nil
	}
	c.stats.misses.Add(1)
	stored, err := c.log.Body(ctx, bodyRef(id, v))
	if errors.Is(err, driver.ErrNoBody) {
		return stet.Version{}, errGone
	}
	if err != nil {
		if ctx.Err() != nil {
			return stet.Version{}, cutShort(ctx, err, id, v)
		}
		code := stet.CodeInternal
		if !c.info.Exclusive { // the network, or a failover
			code = stet.CodeUnavailable
		}
		return stet.Version{}, c.unread(err, code, "%s@%s", id, v.number)
	}
	f, err := decodeBody(stored.Text, stored.Fields)
	if err == nil && f.Digest != v.digest {
		err = errors.New("its content does not have the digest that the log gives")
	}
	if err == nil && sealCheck(seal(f.Digest, stored.Fields)) != v.check {
		err = errors.New("its metadata, author, message or time is not what was saved")
	}
	if err != nil {
		return stet.Version{}, stet.WrapError(err, stet.CodeInternal,
			"%s@%s is damaged in the store: %v. Nothing is returned rather than a wrong text. Run: stet verify", id, v.number, err)
	}
	f.PromptID, f.Number, f.Ordinal, f.Revision = id, v.number, uint64(v.ordinal), v.revision
	b := &cached{fields: f, version: v}
	if !v.body.CompareAndSwap(nil, b) {
		if other := v.body.Load(); other != nil {
			return other.asOf(v.revision), nil
		}
		return b.asOf(v.revision), nil
	}
	c.cache.add(b)
	// It may have been deleted while it was read. If the delete is published after this
	// look, the publication drops it.
	if !c.lives(id, v) {
		c.cache.drop(v)
	}
	return b.asOf(v.revision), nil
}

// lives reports whether v is in the newest head of its prompt that is published.
func (c *core) lives(id string, v *version) bool {
	h, _ := c.newest(id)
	return h != nil && h.live.get(v.number) == v
}

// A cached body is decoded, and hangs on its version while it is in the cache. It is
// never stale, since a body never changes; and nobody finds the body of a version that
// was deleted, since that is in no head any more.
type cached struct {
	fields  stet.VersionFields // which never change
	version *version
	entry   sieve.Entry[*cached]
}

// asOf returns the version as an answer. It only takes an address: for a Get of one prompt
// of many, to load one more line of memory is a tenth of the call.
func (b *cached) asOf(revision uint64) stet.Version { return stet.NewVersion(&b.fields, revision) }

// A cache bounds the memory of cached bodies. A hit takes no lock: the body hangs on the
// version, and a hit only marks it as used.
type cache struct {
	limit int // bytes, 0 for no bound

	mu     sync.Mutex
	bodies sieve.List[*cached]
}

func (c *cache) touch(b *cached) {
	if c.limit != 0 {
		b.entry.Touch()
	}
}

// add counts b, which hangs on its version already, against the bound. A body that is
// larger than the bound is dropped at once. One that was dropped meanwhile is not added.
func (c *cache) add(b *cached) {
	if c.limit == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if b.entry.Listed() || b.version.body.Load() != b {
		return
	}
	size := b.asOf(0).Size()
	if size > c.limit {
		b.version.body.CompareAndSwap(b, nil)
		return
	}
	c.bodies.Add(&b.entry, b, size)
	c.evict(c.limit, &b.entry)
}

// evict drops bodies, except keep, until the others are within a limit. The caller holds
// c.mu.
func (c *cache) evict(limit int, keep *sieve.Entry[*cached]) {
	for b := range c.bodies.Evict(limit, keep) {
		b.version.body.CompareAndSwap(b, nil)
	}
}

// drop removes the body of a version that nobody will ask for again, whether there is a
// bound or not.
func (c *cache) drop(v *version) {
	b := v.body.Swap(nil)
	if b == nil || c.limit == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bodies.Remove(&b.entry)
}

// reset drops all bodies that are counted.
func (c *cache) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.evict(0, nil)
}
