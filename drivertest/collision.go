package drivertest

// collision is two texts of which the digests begin with the same 8 hex digits,
// 77f81133.
var collision = [2]string{"text 52563", "text 120786"}
