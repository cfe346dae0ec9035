job "a"
{
  c = }
}
