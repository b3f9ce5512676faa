# Completions of talosmith for Elvish.
use str
set edit:completion:arg-completer[talosmith] = {|@words|
    var candidates = [(try { talosmith complete '--word='$words[-1] -- (all $words[1..-1]) 2>/dev/null | from-lines } catch e { nop })]
    if (== 0 (count $candidates)) {
        edit:complete-filename $words[-1]
    } else {
        for line $candidates {
            var word about = (str:split &max=2 "\t" $line)
            edit:complex-candidate $word &display=$word' '$about
        }
    }
}
