" Vim syntax file
" Language: runbook
"
" Words that are not reserved are coloured by their place: `every` before a time is a clause, `every` alone is a name.
" No built-in, stage or unit is listed here: they are told by their shape, so a new one needs no new file.

if exists('b:current_syntax')
  finish
endif
let s:cpo_save = &cpo
set cpo&vim

syn case match

" ---- names: a field, a call, a stage, a key
syn match runbookFunction "\v<[a-z_]\w*>\ze\("
syn match runbookFamily "\v<[a-z_]\w*>\ze\.\h\w*\("
syn match runbookField "\v\??\.\h\w*"
syn match runbookMethod "\v\??\.\h\w*\ze\("
syn match runbookOwnField ;\v(^|[^[:alnum:]_)\]}"'?])@<=\.\h\w*;
syn match runbookKey "\v<\h\w*>\ze\s*:"
syn match runbookParameter "\v<[a-z_]\w*>\ze\s*\=\>"
syn match runbookPipe "|" nextgroup=runbookStage skipwhite skipnl
syn match runbookStage contained "\v\h\w*(\.\h\w*)*"
syn match runbookOperator "\v\=\=|!\=|\<\=|\>\=|\<|\>|\~|\?\?|\+|-|\*|/\ze(\s|$)|\=|\=\>"
syn match runbookArrow "->" nextgroup=runbookType skipwhite

" ---- literals
syn match runbookNumber "\v<\d[0-9_]*(\.\d[0-9_]*)?>"
syn match runbookQuantity "\v<(\d[0-9_]*(\.\d[0-9_]*)?\a+)+>"
syn match runbookQuantity "\v<\d[0-9_]*(\.\d[0-9_]*)?\%"
syn match runbookQuantity "\v<\d[0-9_]*(\.\d[0-9_]*)?\a*/\a+>"
syn match runbookTime "\v<\d\d:\d\d>"
syn match runbookTime "\v<\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?Z?)?>"
syn match runbookRegex ;\v([[:alnum:]_)\]"'])@<!/[^ \t/*]@=(\\.|\[\^?\]?(\\.|[^\]\\])*\]|[^/\\[])+/\l*;

" ---- the words of the language, reserved ones first
syn match runbookStatement "\v<(do|else|escalate|for|if|let|manual|measure|notify|otherwise|raise|retry|return|show|then|try|wait)>(\s*:)@!"
syn match runbookCheck "\v<(check|require)>(\s*:)@!"
syn match runbookChange "\v<change>(\s*:)@!"
syn match runbookChange "\v<changes>\ze(\s+idempotent>)?\s*([={]|deprecated>|$)"
syn match runbookClause "\v(<changes\s+)@<=idempotent>"
syn match runbookWordOperator "\v<(and|in|not|or)>(\s*:)@!"
syn match runbookConstant "\v<(false|null|true)>(\s*:)@!"
syn match runbookSpecial "\v<it>(\s*:)@!"
syn match runbookSpecial "\v<run>\ze\."
syn match runbookLet "\v<let>\ze\s+[a-z_]" nextgroup=runbookTypedName skipwhite

" ---- words that are clauses in their place and names elsewhere
syn match runbookClause ;\v<(after|every|fails|is|takes|undo|until|verify|when|within)>\ze\s+((and|as|change|check|do|else|escalate|for|in|let|manual|measure|notify|or|otherwise|raise|require|retry|return|show|then|wait)>)@![A-Za-z0-9_"'(\[{.];
syn match runbookClause "\v<is\s+unreachable>"
syn match runbookClause "\v<(at)>\ze\s+\d\d:\d\d"
syn match runbookClause "\v<at\s+most>\ze\s+\d"
syn match runbookClause ;\v<(approve\s+by|by\s+hand|cron|deprecated|quiet|quiet\s+while)>\ze\s*";
syn match runbookClause ;\v<(as|link|roles)>\ze\s*["'];
syn match runbookClause "\v<roles>\ze\s+[a-z_]\w*\("
syn match runbookClause "\v<group\s+by>\ze\s+[a-z_]"
syn match runbookClause "\v<from>\ze\s+\l" nextgroup=runbookWord skipwhite
syn match runbookSchedule ;\v<on\s+alert>\ze\s*";
syn match runbookClause "\v<(level|to\s+level|repeat)>\ze\s+\d"
syn match runbookClause "\v<respond\s+within>\ze\s+\w"
syn match runbookClause "\v<unless>\ze\s+\l" nextgroup=runbookWord skipwhite
syn match runbookClause "\v<on>\ze\s+[a-z_, ]+<otherwise>" nextgroup=runbookWord skipwhite
syn match runbookStatement "\v<(on\s+failure|always)>\ze\s*\{"
syn match runbookStatement "\v<send\s+to>\ze\s+[a-z_]"
syn match runbookSchedule "\v<daily\s+at>\ze\s+\d"
syn match runbookSchedule "\v<weekly\s+on>\ze\s+\l" nextgroup=runbookWord skipwhite
syn match runbookSchedule "\v<monthly\s+on\s+day>\ze\s+\d"
syn match runbookSeverity "\v<(critical|warning|info)>(\s*[:.(=|,)\]])@!"
syn match runbookTest ;\v<given>\ze\s+[a-z_"];
syn match runbookTest ;\v<run>\ze\s*";
syn match runbookTest ;\v<alert>\ze\s*";
syn match runbookTest ;\v<expect>(\s+no>)?\ze\s+[a-z"]; nextgroup=runbookFact,runbookFactTitle skipwhite
syn match runbookFact contained "\v<(alert|level|notified|run)>" nextgroup=runbookOutcome skipwhite
syn match runbookFactTitle contained ;"[^"\\{]*"; nextgroup=runbookOutcome skipwhite
syn match runbookOutcome contained "\v<(not\s+)?[a-z]+>"
syn match runbookTest ;\v("\s*)@<=<(answers|approves)>;
syn match runbookTest ;\v(["}]\s*)@<=<(ends|fires)>;
syn match runbookWord contained "\v[a-z_]+(\s*,\s*[a-z_]+)*"

" ---- declarations
syn match runbookDeclaration "\v<(channel|command|connect|escalation|secret|tool|type)>\ze\s+[a-z_]\w*\s*[=({]" nextgroup=runbookName skipwhite
syn match runbookDeclaration "\v<(metric|param)>\ze\s+[a-z_]\w*\s*:" nextgroup=runbookTypedName skipwhite
syn match runbookDeclaration ;\v<(library|report|runbook|section|step|test|threshold)>\ze\s*"; nextgroup=runbookTitle skipwhite
syn match runbookDeclaration ;\v<level>\ze\s+\d+\s*";
syn match runbookInclude ;\v<use>\ze\s*";
syn match runbookInclude ;\v(<use\s*"[^"]*"\s*)@<=<as>;
syn match runbookName contained "\v[a-z_]\w*"
syn match runbookTypedName contained "\v[a-z_]\w*" nextgroup=runbookTypeSeparator skipwhite
syn match runbookTypeSeparator contained ":" nextgroup=runbookType skipwhite
syn match runbookType contained "\v[a-z_][A-Za-z0-9_.<>]*\??"
syn match runbookTitle contained ;"[^"\\{]*";

" ---- texts
syn match runbookBadEscape contained "\\."
syn match runbookEscape contained ;\v\\(["\\{}nt]|u\{\x{1,6}\});
syn region runbookString start=;"; end=;"\|$; contains=runbookBadEscape,runbookEscape,runbookInterpolation
syn region runbookString start=;"""\ze\s*$; end=;"""; contains=runbookBadEscape,runbookEscape,runbookInterpolation
syn region runbookRawString start=;'; end=;'\|$;
syn region runbookRawString start=;'''\ze\s*$; end=;''';
syn match runbookFormat contained ;:[^}{"]*\ze};
syn cluster runbookValues contains=runbookFunction,runbookFamily,runbookField,runbookMethod,runbookOwnField,runbookParameter,runbookPipe,runbookOperator,runbookNumber,runbookQuantity,runbookTime,runbookRegex,runbookStatement,runbookWordOperator,runbookConstant,runbookSpecial,runbookString,runbookRawString,runbookBrackets
syn region runbookInterpolation contained matchgroup=runbookDelimiter start=;{\ze[^ \t}]; end=;}; end=;$; contains=@runbookValues,runbookFormat
syn region runbookBrackets contained transparent start="[({\[]" end="[)}\]]" contains=@runbookValues,runbookKey

" ---- comments
syn keyword runbookTodo contained TODO FIXME XXX
syn match runbookComment "#.*$" contains=runbookTodo,@Spell
syn match runbookDocComment "##\%(#\)\@!.*$" contains=runbookTodo,@Spell

syn sync fromstart

hi def link runbookFunction Function
hi def link runbookMethod Function
hi def link runbookStage Function
hi def link runbookFamily Identifier
hi def link runbookOwnField Identifier
hi def link runbookKey Identifier
hi def link runbookParameter Identifier
hi def link runbookPipe Operator
hi def link runbookOperator Operator
hi def link runbookWordOperator Operator
hi def link runbookArrow Operator
hi def link runbookNumber Number
hi def link runbookQuantity Number
hi def link runbookTime Number
hi def link runbookRegex String
hi def link runbookString String
hi def link runbookRawString String
hi def link runbookFactTitle String
hi def link runbookTitle Title
hi def link runbookEscape SpecialChar
hi def link runbookBadEscape Error
hi def link runbookDelimiter Delimiter
hi def link runbookFormat Special
hi def link runbookStatement Statement
hi def link runbookLet Statement
hi def link runbookCheck Conditional
hi def link runbookClause Keyword
hi def link runbookSchedule Keyword
hi def link runbookTest Keyword
hi def link runbookFact Keyword
hi def link runbookWord Constant
hi def link runbookOutcome Constant
hi def link runbookSeverity Constant
hi def link runbookConstant Constant
hi def link runbookSpecial Special
hi def link runbookDeclaration Structure
hi def link runbookInclude Include
hi def link runbookName Identifier
hi def link runbookTypedName Identifier
hi def link runbookType Type
hi def link runbookTodo Todo
hi def link runbookComment Comment
hi def link runbookDocComment SpecialComment
" What a reviewer must see.
hi def runbookChange term=bold,standout cterm=bold ctermfg=166 gui=bold guifg=#d7541b

let b:current_syntax = 'runbook'

let &cpo = s:cpo_save
unlet s:cpo_save
