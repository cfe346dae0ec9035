job "a" {
  group "g" {
    shutdown_delay = "é"
    stop_after_client_disconnect = "1\"x"
    max_client_disconnect = "5 s"
  }
}
