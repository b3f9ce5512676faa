# Completions of talosmith for fish.
function __talosmith_complete
    set -l before (commandline --current-process --tokenize --cut-at-cursor)
    set -l word (commandline --current-token --cut-at-cursor)
    set -l candidates ($before[1] complete "--word=$word" -- $before[2..] 2>/dev/null)
    if set -q candidates[1]
        printf '%s\n' $candidates
    else
        __fish_complete_path "$word"
    end
end
complete --command talosmith --no-files --keep-order --arguments '(__talosmith_complete)'
