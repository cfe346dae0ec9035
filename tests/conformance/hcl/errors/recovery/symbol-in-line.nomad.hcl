job "a" { = }
