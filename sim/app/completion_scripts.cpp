// SPDX-License-Identifier: MIT
#include "sim/app/completion_scripts.h"

namespace nibble {

namespace {

constexpr std::string_view bash_script = R"(# bash completion for nibblesim: the program itself says what may come next.
#   source <(nibblesim completion bash)

_nibblesim() {
    local program=${COMP_WORDS[0]/#\~/$HOME} word=${COMP_WORDS[COMP_CWORD]} prefix= name index
    local -a words=()
    # Bash splits --option=value in three, and replaces only the last of them.
    for ((index = 1; index <= COMP_CWORD; index++)); do
        if ((${#words[@]})) && [[ ${COMP_WORDS[index]} == = || ${COMP_WORDS[index - 1]} == = ]]; then
            words[-1]+=${COMP_WORDS[index]}
        else
            words+=("${COMP_WORDS[index]}")
        fi
    done
    # Unless = is no end of a word for it.
    case $word in
        =) word= ;;
        --*=*) prefix=${word%%=*}= word=${word#*=} ;;
    esac
    COMPREPLY=()
    while IFS=$'\t' read -r name _; do
        case $name in
            :files | :directories)
                compopt -o filenames -o default 2>/dev/null
                local action=${name:1:1}  # compgen -f or -d
                while IFS= read -r name; do
                    COMPREPLY+=("$prefix$name")
                done < <(compgen "-$action" -- "$word")
                ;;
            "$word"*) COMPREPLY+=("$prefix$name") ;;
        esac
    done < <("$program" complete -- "${words[@]}" 2>/dev/null)
}

complete -F _nibblesim nibblesim
)";

constexpr std::string_view zsh_script = R"(#compdef nibblesim
# zsh completion for nibblesim: the program itself says what may come next.
#   source <(nibblesim completion zsh)

_nibblesim() {
    local program=${${(Q)words[1]}/#\~/$HOME} line files= directories=
    local -a typed names
    typed=("${(@Q)words[2,CURRENT]}")
    [[ $PREFIX == --*=* ]] && compset -P 1 '*='
    for line in "${(@f)$("$program" complete -- "${typed[@]}" 2>/dev/null)}"; do
        case $line in
            '') ;;
            :files) files=1 ;;
            :directories) directories=1 ;;
            *) names+=("${line/$'\t'/:}") ;;
        esac
    done
    local found=1
    if (( ${#names} )); then
        _describe -t values 'nibblesim' names && found=0
    fi
    if [[ -n $files ]]; then
        _files && found=0
    elif [[ -n $directories ]]; then
        _files -/ && found=0
    fi
    return found
}

if [[ $funcstack[1] == _nibblesim ]]; then
    _nibblesim "$@"
else
    compdef _nibblesim nibblesim
fi
)";

constexpr std::string_view fish_script = R"(# fish completion for nibblesim: the program itself says what may come next.
#   nibblesim completion fish | source

function __nibblesim_complete
    set -l words (commandline -opc)
    set -l token (commandline -ct)
    set -l program (string replace -r '^~' -- $HOME $words[1])
    set -l prefix (string match -r -- '^--[^=]+=' "$token")
    set -l rest (string replace -r -- '^--[^=]+=' '' "$token")
    for line in ($program complete -- $words[2..-1] "$token" 2>/dev/null)
        switch $line
            case :files
                for path in (__fish_complete_path "$rest")
                    printf '%s%s\n' "$prefix" $path
                end
            case :directories
                for path in (__fish_complete_directories "$rest" '')
                    printf '%s%s\n' "$prefix" $path
                end
            case '*'
                printf '%s%s\n' "$prefix" $line
        end
    end
end

complete -c nibblesim -f -a '(__nibblesim_complete)'
)";

}  // namespace

std::string_view completion_script(std::string_view shell) {
    return shell == "bash" ? bash_script : shell == "zsh" ? zsh_script : fish_script;
}

}  // namespace nibble
