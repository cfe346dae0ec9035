job "bad" {
  prioritty = 5
  priority  = 1.5
  group "g" {
    count = "many"
    vault { policies = 7 }
    task "t" {
      driver       = null
      kill_timeout = true
      check {}
      logs {}
      logs {}
    }
  }
}
