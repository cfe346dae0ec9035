job "a" {
  b = "%{for 1 in [1]}%{endfor}"
}
