a         = 1 /* x */
bcd       = 2         # y
ef        = 3 /* z */ // w
/* v */ g = 4