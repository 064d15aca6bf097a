package peers

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
)

// serveEtcd is one member of etcd as it is delivered: a cluster of one, on the
// loopback interface, its files in dir. Only its log is quieter, which spares it
// lines.
func serveEtcd(dir string) (address string, stop func() error, err error) {
	free := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	cfg := embed.NewConfig()
	cfg.Dir = dir
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = free, free
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = free, free
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.LogLevel = "error"
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return "", nil, err
	}
	select {
	case <-e.Server.ReadyNotify():
	case err := <-e.Err():
		return "", nil, err
	case <-time.After(patience):
		return "", nil, errors.New("etcd has no leader")
	}
	return e.Clients[0].Addr().String(), func() error { e.Close(); return nil }, nil
}

// An etcdPeer is a load of goroutines on etcd, through its own client: one client and
// so one connection for all, as its documentation has it. A client for each, and one
// for eight, were tried in turn with this and are not faster.
type etcdPeer struct{ goroutines int }

func (p etcdPeer) open(e *env) (*child, *clientv3.Client, error) {
	c, err := e.start(serverSetup{Kind: etcdServer})
	if err != nil {
		return nil, nil, err
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{c.address}, DialTimeout: patience, Context: e.ctx})
	if err != nil {
		return nil, nil, err
	}
	e.onClose(client.Close)
	return c, client, nil
}

// gets reads with the guarantee that stet's reads have, etcd's default: a Get sees
// every write that was acknowledged before it. The values are as long as the texts
// that stet gives, under the same ids.
func (p etcdPeer) gets(e *env) (side, error) {
	c, client, err := p.open(e)
	if err != nil {
		return nil, err
	}
	ids := promptIDs(served)
	for i, id := range ids {
		if _, err := client.Put(e.ctx, id, string(plain(i, 0, servedText))); err != nil {
			return nil, err
		}
	}
	return func() (sample, error) {
		return timed(e, c, p.goroutines, func(worker, n int) error {
			r, err := client.Get(e.ctx, ids[turn(worker, n)])
			if err == nil && len(r.Kvs) != 1 {
				err = fmt.Errorf("etcd has %d values of a key", len(r.Kvs))
			}
			return err
		})
	}, nil
}

// creates writes each value under a key that must not be there yet: the least that a
// store of versions on etcd would do for a save.
func (p etcdPeer) creates(e *env) (side, error) {
	c, client, err := p.open(e)
	if err != nil {
		return nil, err
	}
	lap := 0
	return func() (sample, error) {
		lap++
		return timed(e, c, p.goroutines, func(worker, n int) error {
			key := fmt.Sprintf("versions/%03d/%03d/%08d", worker, lap, n)
			return createIfAbsent(e.ctx, client, key, string(plain(worker, n, kilobyte)))
		})
	}, nil
}

func createIfAbsent(ctx context.Context, c *clientv3.Client, key, value string) error {
	r, err := c.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).Then(clientv3.OpPut(key, value)).Commit()
	if err == nil && !r.Succeeded {
		err = fmt.Errorf("etcd has %s already", key)
	}
	return err
}
