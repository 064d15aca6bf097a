package httpapi

import (
	"context"
	_ "embed"
	"net/http"
	"time"

	"github.com/stet-dev/stet"
)

// getStore answers with the identity and the state of the store.
func (s *Server) getStore(c *call) error {
	_, o, err := c.reads("application/json", "min_revision")
	if err != nil {
		return err
	}
	if err := c.wait(o.MinRevision); err != nil {
		return err
	}
	tail, err := s.store.Tail(c.ctx())
	if err != nil {
		return err
	}
	if !c.a.seesAll() {
		tail.Hash = stet.Hash{} // it covers what the caller may not see
	}
	body, err := encode(struct {
		StoreID  string    `json:"store_id"`
		Engine   string    `json:"engine"`
		Epoch    uint64    `json:"epoch"`
		Cleared  uint64    `json:"cleared"`
		Revision uint64    `json:"revision"`
		Hash     stet.Hash `json:"hash"`
		Queued   int       `json:"queued"`
		Version  string    `json:"version,omitempty"`
	}{s.store.ID(), s.store.Engine(), tail.Epoch, tail.Cleared, tail.Revision, tail.Hash, s.monitor.Stats().Queued, s.o.Version})
	if err != nil {
		return err
	}
	c.asOf(tail.Revision)
	c.send(http.StatusOK, typeJSON, "", append(body, '\n'))
	return nil
}

// healthz answers that the program is alive, whatever its store does.
func (s *Server) healthz(c *call) error {
	c.send(http.StatusOK, typeJSON, "", []byte("{\"alive\":true}\n"))
	return nil
}

// readyTime is how long the store may take to answer before the server is not ready. A
// load balancer asks every few seconds.
const readyTime = 2 * time.Second

// readyz answers whether requests should come here. They should not while the server
// drains, or while its store does not answer or has stopped writing.
func (s *Server) readyz(c *call) error {
	select {
	case <-s.stopping.Done():
		return stet.Errorf(stet.CodeUnavailable, "the server is stopping. Use another.")
	default:
	}
	if err := context.Cause(s.monitor.Writing()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.ctx(), readyTime)
	defer cancel()
	if _, _, err := s.store.GetMany(ctx, nil, stet.ReadOptions{}); err != nil {
		return err
	}
	c.send(http.StatusOK, typeJSON, "", []byte("{\"ready\":true}\n"))
	return nil
}

// contract describes the API, for programs and for people.
//
//go:embed openapi.yaml
var contract []byte

func (s *Server) openapi(c *call) error {
	c.vary(vary)
	c.send(http.StatusOK, typeYAML, "", contract)
	return nil
}
