package core

import (
	"encoding/base64"
	"strings"

	"github.com/stet-dev/stet"
)

func pageLimit(n int) (int, error) {
	switch {
	case n == 0:
		return stet.DefaultLimit, nil
	case n < 0 || n > stet.MaxLimit:
		return 0, stet.Errorf(stet.CodeInvalid, "a page of %d was asked for. Ask for 1 to %d.", n, stet.MaxLimit)
	}
	return n, nil
}

// A cursor is where a list goes on: a letter for the kind of list and the key
// after which it does, so that what is saved or deleted between two pages
// neither repeats nor hides what it does not concern. Callers take it as it is.
func (c *Core) cursor(kind byte, key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(string(kind) + c.info.StoreID + "\n" + key))
}

func (c *Core) parseCursor(kind byte, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	store, key, ok := strings.Cut(string(raw), "\n")
	if err != nil || !ok || store == "" || store[0] != kind {
		return "", stet.Errorf(stet.CodeInvalid, "%q is not a cursor of this list. Give the next of the page before, as it is.", cursor)
	}
	if store[1:] != c.info.StoreID {
		return "", stet.Errorf(stet.CodeInvalid, "the cursor is of another store: this one may have been restored since. Begin the list again.")
	}
	return key, nil
}
