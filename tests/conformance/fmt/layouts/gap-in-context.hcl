job "a" {
  b = [

    1 2,

  ]
}
