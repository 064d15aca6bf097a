package load

import "runtime"

// LiveHeap returns the bytes that are reachable now. It collects garbage twice:
// the first time may leave what finalizers and pools still hold.
func LiveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
