# fish completion for stet. Use it with: stet completion fish | source
complete -c stet -a '(stet __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
