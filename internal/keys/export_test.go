package keys

// Replace is replace, for tests.
var Replace = replace
