use super::system::capture;
use super::*;

fn shell(script: &str) -> Command {
    Command::new("sh", ["-c", script])
}

/// The environment variable that cargo sets for every test, and that no program inherits unless it is allowed to.
const OURS: &str = "CARGO_PKG_NAME";

#[test]
fn status_and_both_outputs_are_returned() {
    let output = System::default().run(&shell("echo out; echo err >&2; exit 3")).unwrap();
    assert_eq!(
        (output.status, output.stdout.as_slice(), output.stderr.as_slice()),
        (Some(3), &b"out\n"[..], &b"err\n"[..])
    );
    assert!(!output.success());
}

#[test]
fn no_program_in_the_folder_of_a_command_is_started() {
    let folder = tempfile::tempdir().unwrap();
    let folder = camino::Utf8Path::from_path(folder.path()).unwrap();
    let program = folder.join("talosmith-no-such-program");
    fs_err::write(&program, "#!/bin/sh\n").unwrap();
    std::process::Command::new("chmod").arg("+x").arg(&program).status().unwrap();
    let started = |path: &str| {
        let command = Command::new("talosmith-no-such-program", [""; 0]);
        let variables = vec![("PATH".to_owned(), path.to_owned())];
        System::default().run(&Command { folder: Some(folder.to_owned()), variables, ..command })
    };
    for path in ["", ":/usr/bin", ".:/usr/bin"] {
        assert!(matches!(started(path), Err(ProcessError::NotFound { .. })), "{path:?}");
    }
    assert!(started(&format!("{folder}:/usr/bin")).unwrap().success());
}

#[test]
fn a_signal_is_no_exit_code() {
    assert_eq!(System::default().run(&shell("kill -9 $$")).unwrap().status, None);
}

#[test]
fn input_larger_than_a_pipe_is_read() {
    let input = vec![b'x'; 300_000];
    let output =
        System::default().run(&Command { input: Some(input.clone()), ..Command::new("cat", [""; 0]) }).unwrap();
    assert_eq!(*output.stdout, input);
}

#[test]
fn input_that_is_not_read_does_no_harm() {
    let output = System::default().run(&Command { input: Some(vec![b'x'; 300_000]), ..shell("exit 0") }).unwrap();
    assert!(output.success());
}

#[test]
fn without_input_there_is_nothing_to_read() {
    assert_eq!(System::default().run(&Command::new("cat", [""; 0])).unwrap().stdout.as_slice(), b"");
}

#[test]
fn a_missing_program_and_a_missing_folder_are_different_errors() {
    let error = System::default().run(&Command::new("no-such-program-anywhere", [""; 0])).unwrap_err();
    assert!(matches!(error, ProcessError::NotFound { .. }), "{error:?}");
    assert_eq!(error.to_string(), "there is no program `no-such-program-anywhere`");

    let nowhere = Command { folder: Some("/no/such/folder".into()), ..shell("exit 0") };
    let error = System::default().run(&nowhere).unwrap_err();
    assert!(matches!(error, ProcessError::Start { .. }), "{error:?}");
}

#[test]
fn a_program_that_hangs_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    // The grandchild keeps the pipe open, which must not delay the error.
    let script = format!("echo $$ > {}; sleep 20 & wait", pid.display());
    let started = std::time::Instant::now();
    let error = System::default().run(&Command { timeout: Duration::from_millis(300), ..shell(&script) }).unwrap_err();
    assert_eq!(error.to_string(), "`sh` did not end within 0.3 s");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let pid = fs_err::read_to_string(pid).unwrap();
    let alive = std::process::Command::new("kill").args(["-0", pid.trim()]).output().unwrap().status.success();
    assert!(!alive, "the program still runs");
}

#[test]
fn a_program_that_is_given_up_is_not_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let started = folder.path().join("started");
    let system = System::default();
    let script = format!("echo started >> {}; exec sleep 20", started.display());
    for _ in 0..3 {
        let command = Command { timeout: Duration::from_millis(300), is_given_up: true, ..shell(&script) };
        assert_eq!(system.run(&command).unwrap_err().to_string(), "`sh` did not end within 0.3 s");
    }
    assert_eq!(fs_err::read_to_string(started).unwrap(), "started\n");
    // Another source of a secret can be the same program with other arguments.
    assert!(system.run(&shell("exit 0")).unwrap().success());
    assert!(system.run(&Command::new("true", [""; 0])).unwrap().success());
}

#[test]
fn a_program_that_closes_its_outputs_and_hangs_is_killed() {
    let command = Command { timeout: Duration::from_millis(300), ..shell("exec >&- 2>&-; exec sleep 20") };
    assert_eq!(System::default().run(&command).unwrap_err().to_string(), "`sh` did not end within 0.3 s");
}

#[test]
fn a_program_that_writes_without_end_is_killed() {
    for script in ["yes", "yes >&2"] {
        let error = System::default().run(&Command { cap: 10_000, ..shell(script) }).unwrap_err();
        assert_eq!(error.to_string(), "`sh` wrote more than 10000 bytes");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_that_takes_too_much_memory_fails() {
    let script = "sleep 0.3; x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}";
    let output = System::default().run(&shell(script)).unwrap();
    assert_eq!(output.stdout.as_slice(), b"200000000\n");
    let limited = Command { memory: Some(50 << 20), ..shell(script) };
    let output = System::default().run(&limited).unwrap();
    assert!(!output.success() && output.stdout.is_empty(), "{output:?}");
}

#[test]
fn only_allowed_variables_are_inherited() {
    assert!(std::env::var_os(OURS).is_some(), "cargo sets it");
    let print = Command::new("printenv", [OURS]);
    assert_eq!(System::default().run(&print).unwrap().status, Some(1));
    let allowed = Command { environment: vec![OURS.into()], ..print.clone() };
    assert_eq!(System::default().run(&allowed).unwrap().stdout.as_slice(), b"talosmith-cli\n");
    let by_start = Command { environment: vec!["CARGO_PKG_*".into()], ..print.clone() };
    assert_eq!(System::default().run(&by_start).unwrap().stdout.as_slice(), b"talosmith-cli\n");
    let set = Command { variables: vec![(OURS.into(), "else".into())], ..print };
    assert_eq!(System::default().run(&set).unwrap().stdout.as_slice(), b"else\n");
}

#[test]
fn debug_does_not_show_the_output() {
    let output = System::default().run(&shell("echo hidden; echo hidden >&2")).unwrap();
    assert_eq!(format!("{output:?}"), "Output { status: Some(0), .. }");
}

#[test]
fn an_interactive_program_answers_requests_in_order() {
    let mut program = System::default().start_interactive(&Command::new("cat", [""; 0])).unwrap();
    for request in ["one\n", "two\n"] {
        program.input.write_all(request.as_bytes()).unwrap();
        program.input.flush().unwrap();
        let mut answer = String::new();
        program.output.read_line(&mut answer).unwrap();
        assert_eq!(answer, request);
    }
}

#[test]
fn an_interactive_program_that_does_not_answer_is_killed() {
    let command = Command { timeout: Duration::from_millis(300), ..shell("echo first; exec sleep 20") };
    let mut program = System::default().start_interactive(&command).unwrap();
    let mut answers = String::new();
    let started = std::time::Instant::now();
    while program.output.read_line(&mut answers).unwrap() > 0 {}
    assert_eq!(answers, "first\n");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn the_fake_returns_results_in_order_and_records_commands() {
    let script = Script::default().answer(0, "first", "").fail(ProcessError::NotFound { program: "op".into() });
    assert_eq!(script.run(&Command::new("git", ["status"])).unwrap().stdout.as_slice(), b"first");
    assert!(script.run(&Command::new("op", ["read"])).is_err());
    assert!(script.run(&Command::new("sops", ["-d"])).is_err());
    let commands: Vec<_> = script.commands().into_iter().map(|command| (command.program, command.arguments)).collect();
    let expected = [("git", "status"), ("op", "read"), ("sops", "-d")];
    assert_eq!(commands, expected.map(|(program, argument)| (program.to_owned(), vec![argument.to_owned()])));
}

#[test]
fn long_texts_come_through_unchanged() {
    let text: Vec<u8> = (0..100_000u32).map(|number| (number % 251) as u8).collect();
    assert_eq!(capture(text.as_slice(), text.len()).unwrap().as_deref(), Some(&text));
}

#[test]
fn one_byte_over_the_cap_is_too_much() {
    assert_eq!(capture(b"12345".as_slice(), 5).unwrap().as_deref().map(Vec::as_slice), Some(b"12345".as_slice()));
    assert_eq!(capture(b"123456".as_slice(), 5).unwrap(), None);
}
