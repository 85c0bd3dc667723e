/// The option parser's completion scripts, made to fit names such as `acct:7/BTC-USD`.
enum CompletionScript {
  /// - Parameter script: for any shell; only bash's is changed.
  static func fitted(_ script: String) -> String {
    script.replacing(offersFiles, with: offersFiles + offersWords)
      .replacing("complete -o filenames -F _tradeledger tradeledger", with: wholeWords)
  }

  private static let offersFiles = "\n__tradeledger_add_completions() {\n"

  /// Of a file, bash shows what follows the last slash.
  private static let offersWords =
    "    [[ \"${1}\" = -W ]] && compopt +o filenames 2>/dev/null\n"

  /// bash takes words apart at `:`, `=` and `@`, and replaces the last part alone.
  private static let wholeWords = #"""
    _tradeledger_whole_words() {
        local -a words=()
        local -i index at=0
        local rest="${COMP_LINE}" word gap is_value=false
        for index in "${!COMP_WORDS[@]}"; do
            word="${COMP_WORDS[index]}"
            gap="${rest%%[![:space:]]*}"
            rest="${rest#"${gap}${word}"}"
            if [[ -n "${gap}" || "${index}" -eq 0 ]]; then
                words+=("${word}")
                is_value=false
            elif [[ "${word}" = '=' && "${words[-1]}" = --* ]]; then
                words+=('')
                is_value=true
            elif "${is_value}" || [[ "${word}" = [:=@]* || "${words[-1]}" = *[:=@] ]]; then
                words[-1]+="${word}"
            else
                words+=("${word}")
            fi
            [[ "${index}" -eq "${COMP_CWORD}" ]] && at="$((${#words[@]} - 1))"
        done
        local -a COMP_WORDS=("${words[@]}")
        local -i COMP_CWORD="${at}"
        _tradeledger "${1}" "${words[at]}" "${words[at - 1]}"
        COMPREPLY=("${COMPREPLY[@]#"${words[at]%"${2}"}"}")
    }

    complete -o filenames -F _tradeledger_whole_words tradeledger
    """#
}
