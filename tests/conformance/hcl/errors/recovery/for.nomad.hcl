job "a" {
  b = [for x in [1]: x => x]
  c = [for x in [1]: x...]
  d = {for x in [1]: x}
  e = [for x in [1]: x y]
}
