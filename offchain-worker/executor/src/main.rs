//! `millrace-executor`: the program that the node starts for each job.

use clap::{Args, Parser, Subcommand};
use millrace_executor::{
	conformance, health_text, list_devices, read_health, run_by_hand, serve, watch_health, ConformanceRecord,
	DeviceSelector, Executor, HandRun, JobLimits,
};
use millrace_job::BlobHash;
use std::{
	env,
	error::Error,
	fs,
	io::{stderr, IsTerminal},
	os::unix::process::parent_id,
	path::PathBuf,
	process::ExitCode,
	time::{Duration, Instant},
};

/// Runs GPU jobs for a Millrace node.
///
/// The node starts this program itself, once for each job, and talks to it over pipes; there is nothing to set up but
/// to keep it beside the node's program. By hand it lists GPUs, runs a job without a chain, and shows what confines it.
#[derive(Parser)]
#[command(name = "millrace-executor", version)]
struct Cli {
	#[command(subcommand)]
	command: Command,
}

#[derive(Subcommand)]
enum Command {
	/// List the GPUs of this machine.
	Devices {
		/// Print JSON.
		#[arg(long)]
		json: bool,
	},
	/// Show how the GPUs are: temperature, power, errors.
	Health {
		/// Print JSON.
		#[arg(long)]
		json: bool,
	},
	/// Print the health of the GPUs every few seconds, and errors that they report at once, as lines of JSON. The node starts this
	/// itself.
	Monitor {
		/// Process id of whoever started this, with whom it ends.
		#[arg(long, default_value_t = parent_id())]
		parent: u32,
		/// Seconds between two readings, from 0.1 to 3600.
		#[arg(long, default_value = "5", value_parser = seconds)]
		every: Duration,
	},
	/// Run a job from files and write its output.
	Run(RunArgs),
	/// Run the conformance suite on a device, and compare it with the reference device.
	Conformance(ConformanceArgs),
	/// Show which measures confine a job on this machine.
	Check,
	/// Run one job for the node. Started by the node.
	Serve {
		/// Process id of the node.
		#[arg(long)]
		parent: u32,
		/// The device that the job runs on.
		#[arg(long)]
		device: DeviceSelector,
		/// Folders of the control groups that it enters.
		#[arg(long)]
		group: Vec<PathBuf>,
	},
}

#[derive(Args)]
struct RunArgs {
	/// The plan, a JSON file.
	#[arg(long)]
	plan: PathBuf,
	/// Folder with the kernel and the inputs, under any names.
	#[arg(long)]
	blobs: PathBuf,
	/// File for the output.
	#[arg(long)]
	out: PathBuf,
	/// `reference`, `cuda` for the first GPU, or `cuda:UUID`, also of a MIG instance.
	#[arg(long, default_value = "reference")]
	device: DeviceSelector,
	/// The most seconds that the job may take.
	#[arg(long, default_value_t = 600)]
	seconds: u64,
	/// The most instructions that the reference device may run.
	#[arg(long, default_value_t = JobLimits::default().steps)]
	steps: u64,
}

#[derive(Args)]
struct ConformanceArgs {
	/// `reference`, `cuda` for the first GPU, or `cuda:UUID`, also of a MIG instance.
	#[arg(long, default_value = "cuda")]
	device: DeviceSelector,
	/// File for the record, as JSON.
	#[arg(long)]
	record: Option<PathBuf>,
}

fn main() -> ExitCode {
	let done = match Cli::parse().command {
		Command::Devices { json } => devices(json),
		Command::Health { json } => health(json),
		Command::Monitor { parent, every } => watch_health(parent, every).map_err(Into::into),
		Command::Run(args) => run(args),
		Command::Conformance(args) => conform(&args),
		Command::Check => check(),
		Command::Serve { parent, device, group } => serve(parent, &device, &group).map_err(Into::into),
	};
	match done {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("error: {error}");
			ExitCode::FAILURE
		}
	}
}

fn devices(json: bool) -> Result<(), Box<dyn Error>> {
	let list = list_devices();
	if json {
		println!("{}", serde_json::to_string(&list)?);
		return Ok(());
	}
	println!("reference  the CPU, interpreting PTX");
	for gpu in &list.gpus {
		let (major, minor) = gpu.compute_capability.unwrap_or_default();
		let (memory, driver) = (gpu.memory_bytes >> 20, gpu.driver.as_deref().unwrap_or("?"));
		println!(
			"cuda:{}  {}, {memory} MiB, compute capability {major}.{minor}, CUDA {driver}",
			gpu.uuid, gpu.name
		);
	}
	match &list.cuda_unavailable {
		Some(reason) => println!("No GPU can be used: {reason}"),
		None if list.gpus.is_empty() => println!("The CUDA driver knows no GPU."),
		None => {}
	}
	Ok(())
}

fn seconds(text: &str) -> Result<Duration, String> {
	let seconds = text.parse().ok().filter(|seconds| (0.1..=3_600.0).contains(seconds));
	seconds.map(Duration::from_secs_f64).ok_or_else(|| "expected seconds from 0.1 to 3600".into())
}

fn health(json: bool) -> Result<(), Box<dyn Error>> {
	let reading = read_health()?;
	if json {
		println!("{}", serde_json::to_string(&reading)?);
	} else {
		print!("{}", health_text(&reading));
	}
	Ok(())
}

fn run(args: RunArgs) -> Result<(), Box<dyn Error>> {
	let wall_clock = Duration::from_secs(args.seconds);
	let limits = JobLimits { wall_clock, launch: wall_clock, steps: args.steps, ..JobLimits::default() };
	let RunArgs { plan, blobs, device, .. } = args;
	let request = HandRun { executor: env::current_exe()?, plan, blobs, device, limits };
	// A line that is written over and over makes no sense in a file.
	let show = stderr().is_terminal();
	let start = Instant::now();
	let output = run_by_hand(&request, &mut |progress| {
		if show {
			let blocks = progress.blocks_done.map_or(String::new(), |blocks| format!(", {blocks} blocks"));
			eprint!("\r{} of {} launches done{blocks}\x1b[K", progress.launches_done, progress.launches);
		}
	});
	if show {
		eprintln!();
	}
	let output = output?;
	let took = start.elapsed();
	fs::write(&args.out, &output.bytes).map_err(|error| format!("{}: {error}", args.out.display()))?;
	println!("output  {}", BlobHash::of(&output.bytes));
	println!("bytes   {}", output.bytes.len());
	println!("device  {}", output.device);
	println!("busy    {:.6} s in {} launches", output.busy.as_secs_f64(), output.launches);
	println!("took    {:.3} s", took.as_secs_f64());
	Ok(())
}

fn conform(args: &ConformanceArgs) -> Result<(), Box<dyn Error>> {
	let executor = Executor::new(env::current_exe()?);
	let run = |device: &DeviceSelector| -> Result<ConformanceRecord, Box<dyn Error>> {
		let show = stderr().is_terminal();
		let record = conformance(&executor, device, &mut |case| {
			if show {
				eprint!("\r{device}: {case}\x1b[K");
			}
		});
		if show {
			eprint!("\r\x1b[K");
		}
		Ok(record?)
	};
	let found = run(&args.device)?;
	let expected = run(&DeviceSelector::Reference)?;
	let differences = found.differences(&expected);
	for (name, outcome) in &found.outcomes {
		let verdict = if differences.contains(name) { "DIFFERS" } else { "agrees" };
		println!("{name:20} {verdict:8} {}", serde_json::to_string(outcome)?);
	}
	println!("device {}, {} cases, {} differ", found.device.name, found.outcomes.len(), differences.len());
	if let Some(path) = &args.record {
		let text = serde_json::to_string_pretty(&found)? + "\n";
		fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
	}
	if !differences.is_empty() {
		return Err(format!("{} does not compute as the reference device does", found.device.name).into());
	}
	Ok(())
}

fn check() -> Result<(), Box<dyn Error>> {
	let info = Executor::new(env::current_exe()?).check()?;
	println!("millrace-executor {}: {}", info.version, info.confinement);
	if let Some(why) = info.no_control_group {
		println!("no control group: {why}");
	}
	Ok(())
}
