package client

import (
	"context"

	"github.com/stet-dev/stet"
)

// Dial is Open for tests that put something around the backend.
func Dial(ctx context.Context, url string, o Options) (stet.Backend, error) { return dial(ctx, url, o) }

// CacheOf puts a cache in front of what Dial returned.
func CacheOf(b stet.Backend, o CacheOptions) *Cache {
	if err := o.complete(); err != nil {
		panic(err)
	}
	return newCache(b, b.(*backend).follow, o)
}
