" Reads a runbook with Vim's own syntax engine and writes a line of JSON a stretch of one colour.
" RUNTIME=editors/vim FILE=x.runbook OUT=tokens.json vim -es -u NONE -N -S tokens.vim
let &runtimepath = $RUNTIME . ',' . &runtimepath
set nomore
filetype plugin indent on
syntax on
execute 'edit' fnameescape($FILE)
let s:out = []
if &filetype !=# 'runbook' || get(b:, 'current_syntax', '') !=# 'runbook' || &commentstring !=# '# %s'
  call add(s:out, json_encode({'error': 'not recognised: filetype ' . &filetype . ', commentstring ' . &commentstring}))
endif
for s:line in range(1, line('$'))
  let s:start = 1
  let s:colour = ''
  for s:column in range(1, strlen(getline(s:line)) + 1)
    let s:here = s:column > strlen(getline(s:line)) ? '-' : synIDattr(synID(s:line, s:column, 1), 'name')
    if s:here !=# s:colour || s:here ==# '-'
      if s:column > s:start
        call add(s:out, json_encode({'line': s:line - 1, 'start': s:start - 1, 'end': s:column - 1, 'colour': s:colour}))
      endif
      let s:start = s:column
      let s:colour = s:here
    endif
  endfor
endfor
" Reindents the whole file: a file that is as the formatter writes it must stay as it is.
let s:before = getline(1, '$')
silent normal! gg=G
for s:index in range(len(s:before))
  if s:before[s:index] !=# getline(s:index + 1)
    call add(s:out, json_encode({'indent': s:index + 1, 'wanted': s:before[s:index], 'got': getline(s:index + 1)}))
  endif
endfor
if v:errmsg !=# ''
  call add(s:out, json_encode({'error': v:errmsg}))
endif
call writefile(s:out, $OUT)
qall!
