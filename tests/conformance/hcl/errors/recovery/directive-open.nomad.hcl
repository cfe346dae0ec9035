job "a" {
  b = "%{if true}"
  c = "%{for x in [1]}%{if true}"
}
