" Vim indent file for runbook files: brackets, pipes and the clauses of a change
if exists('b:did_indent')
  finish
endif
let b:did_indent = 1

setlocal indentexpr=RunbookIndent()
setlocal indentkeys=0{,0},0),0],0\|,!^F,o,O
let b:undo_indent = 'setlocal indentexpr< indentkeys<'

if exists('*RunbookIndent')
  finish
endif

" A line without its strings and its comment, so that brackets in them do not count.
function! s:code(lnum) abort
  return substitute(substitute(getline(a:lnum), '"\%(\\.\|[^"\\]\)*"\|''[^'']*''', '', 'g'), '#.*$', '', '')
endfunction

function! RunbookIndent() abort
  let above = prevnonblank(v:lnum - 1)
  if above == 0
    return 0
  endif
  let indent = indent(above)
  " A pipe goes on with the line above; the first line after the pipes goes back.
  let pipe = getline(v:lnum) =~# '^\s*|'
  let pipe_above = getline(above) =~# '^\s*|'
  if pipe && !pipe_above
    let indent += shiftwidth()
  elseif !pipe && pipe_above
    let indent -= shiftwidth()
  endif
  if s:code(above) =~# '[{(\[]\s*$'
    let indent += shiftwidth()
  endif
  if getline(v:lnum) =~# '^\s*[})\]]'
    let indent -= shiftwidth()
  endif
  return max([indent, 0])
endfunction
