# Completions of talosmith for bash.
_talosmith() {
    local IFS=$'\n'
    COMPREPLY=($("$1" complete "--word=${COMP_WORDS[COMP_CWORD]}" -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null))
    COMPREPLY=("${COMPREPLY[@]%%$'\t'*}")
}
complete -o bashdefault -o default -F _talosmith talosmith
