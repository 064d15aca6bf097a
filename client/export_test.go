package client

import (
	"context"

	"github.com/stet-dev/stet"
)

// Dial is Open for tests that put something around the backend.
func Dial(ctx context.Context, url string, o Options) (stet.Backend, error) { return dial(ctx, url, o) }
