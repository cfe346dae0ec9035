job "a" {
  b = "%{fi true}"
  c = "%{1}"
}
