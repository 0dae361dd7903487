# SPDX-License-Identifier: BSD-3-Clause
# Completion of plx-doctor for bash.
_plx_doctor() {
	local cur=$2 prev=$3 word
	case $prev in
	--user) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
	*)
		case $cur in
		-*) mapfile -t COMPREPLY < <(compgen -W '--user --json --help' -- "$cur") ;;
		*)
			# a colon ends a word for bash: what follows it is completed
			word=${COMP_LINE:0:COMP_POINT}
			word=${word##* }
			mapfile -t COMPREPLY < <(
				compgen -W "$(for f in /sys/bus/pci/devices/* /sys/class/net/*; do
					[ -e "$f/device" ] && echo "${f##*/}"
				done)" -- "$word"
			)
			[[ $word != *:* ]] || COMPREPLY=("${COMPREPLY[@]#"${word%:*}":}")
			;;
		esac
		;;
	esac
}
complete -F _plx_doctor plx-doctor
