package sqlite_test

func dropRoot() error { return nil }
