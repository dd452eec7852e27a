"""Stage 7: what is late, where and at whose desk; every figure opens its list."""
