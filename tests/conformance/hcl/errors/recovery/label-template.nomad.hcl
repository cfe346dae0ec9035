job "a${b}" {
  task "${c}" {}
}
