job "a" { b {} }
c d
