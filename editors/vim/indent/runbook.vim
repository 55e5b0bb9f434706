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

" Whether a line begins inside a block of text.
function! s:in_text(lnum) abort
  return synIDattr(synID(a:lnum, 1, 1), 'name') =~# 'String$'
endfunction

function! RunbookIndent() abort
  " The blanks of a block of text are the writer's.
  if s:in_text(v:lnum)
    return -1
  endif
  let above = prevnonblank(v:lnum - 1)
  while above > 1 && s:in_text(above)
    let above = prevnonblank(above - 1)
  endwhile
  if above == 0
    return 0
  endif
  let indent = indent(above)
  " A pipe or a clause goes on with the line above; the first line after it goes back.
  let more = '^\s*\%(|\|\%(as\|approve\|undo\|verify\|within\)\>\)'
  let goes_on = getline(v:lnum) =~# more
  let went_on = getline(above) =~# more
  if goes_on && !went_on
    let indent += shiftwidth()
  elseif !goes_on && went_on
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
