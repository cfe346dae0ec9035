job "a" {
  b = "%{if true}x%{endfor}y%{endif}"
  c = "%{for x in [1]}%{else}%{endfor}"
  d = "%{if true}%{else}%{else}%{endif}"
}
