package open

import (
	"context"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/memory"
	"github.com/stet-dev/stet/sqlite"
)

// schemes are the engines that this program has.
var schemes = []scheme{
	{name: "sqlite", form: "sqlite:PATH", open: openSQLite, file: true},
	{name: "memory", form: "memory:", open: openMemory},
	{name: "http", form: "http://HOST:PORT", open: server("http:")},
	{name: "https", form: "https://HOST:PORT", open: server("https:")},
	{name: "unix", form: "unix:PATH", open: server("unix:")},
}

func server(scheme string) func(ctx context.Context, rest string, o *Options) (*stet.Store, error) {
	return func(ctx context.Context, rest string, o *Options) (*stet.Store, error) {
		return client.Open(ctx, scheme+rest, &o.Client)
	}
}

func openSQLite(ctx context.Context, path string, o *Options) (*stet.Store, error) {
	if o.Running != nil {
		return openShared(ctx, path, o)
	}
	return sqlite.Open(ctx, path, &sqlite.Options{Options: o.Options, Wait: o.Wait, Waiting: o.Waiting})
}

func openMemory(_ context.Context, rest string, o *Options) (*stet.Store, error) {
	if rest != "" {
		return nil, stet.Errorf(stet.CodeInvalid, "the address %q says more than there is to say. A store in memory has no name: write memory:", "memory:"+rest)
	}
	return memory.Open(&o.Options)
}
