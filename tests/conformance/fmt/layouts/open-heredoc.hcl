a = <<EOT
x

y
