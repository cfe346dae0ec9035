job “a” {}
