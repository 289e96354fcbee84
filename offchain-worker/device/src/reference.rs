//! The reference device: PTX interpreted on the CPU.

use crate::{Device, DeviceError, DeviceInfo, KernelLaunch, Kind, Pointer, Status, TimeLimit};
use millrace_ptx::{
	launch_on, Budget, Fault, FaultKind, HostThreads, LaunchError, Memory, MemoryError, Module,
};
use std::{
	ops::ControlFlow,
	sync::{
		atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
		Arc,
	},
	thread::{self, JoinHandle},
};

/// Memory of a reference device that runs any plan: the largest buffers and some room for the module's variables.
pub const MEMORY_BYTES: u64 = millrace_job::MAX_BUFFER_BYTES + (256 << 20);

/// What a reference device says of itself.
pub fn info(uuid: impl Into<String>, memory_bytes: u64) -> DeviceInfo {
	DeviceInfo {
		kind: Kind::Reference,
		name: "Millrace reference device".into(),
		memory_bytes,
		uuid: uuid.into(),
		driver: None,
		compute_capability: None,
	}
}

/// The most threads of the host that a launch runs on.
const MAX_THREADS: usize = 8;

/// A CPU that interprets PTX. A launch runs on a thread of its own, and on more of them where the host has more and the
/// thread blocks do not wait for each other.
pub struct ReferenceDevice {
	info: DeviceInfo,
	steps: u64,
	module: Option<Arc<Module>>,
	state: State,
}

enum State {
	Idle(Machine),
	Running(Running),
	/// A launch failed, and the memory went with it.
	Gone,
}

/// What a launch works on.
struct Machine {
	memory: Memory,
	budget: Budget,
}

struct Running {
	thread: JoinHandle<Result<Machine, LaunchError>>,
	watch: Arc<Watch>,
}

/// What both threads see of a launch.
#[derive(Default)]
struct Watch {
	blocks_done: AtomicU64,
	cancelled: AtomicBool,
}

impl ReferenceDevice {
	/// A device with that much memory, in bytes, which runs at most `steps` instructions in its life: one step is one
	/// instruction of one thread. Memory is taken from the host when it is allocated.
	pub fn new(uuid: impl Into<String>, memory_bytes: u64, steps: u64) -> Self {
		let machine = Machine { memory: Memory::new(memory_bytes), budget: Budget::new(steps) };
		Self { info: info(uuid, memory_bytes), steps, module: None, state: State::Idle(machine) }
	}

	fn machine(&mut self) -> Result<&mut Machine, DeviceError> {
		match &mut self.state {
			State::Idle(machine) => Ok(machine),
			State::Running(_) => Err(DeviceError::Lost("the device was used while a launch ran".into())),
			State::Gone => Err(DeviceError::Lost("the device was used after a launch failed".into())),
		}
	}

	fn launch_error(&self, error: LaunchError) -> DeviceError {
		match error {
			LaunchError::Fault(Fault { kind: FaultKind::StepBudgetExhausted, .. }) => {
				DeviceError::TimedOut(TimeLimit::Steps(self.steps))
			}
			LaunchError::Fault(fault) => DeviceError::KernelFault(fault.to_string()),
			LaunchError::Memory(error) => memory_error(error),
			refused => DeviceError::KernelRejected(refused.to_string()),
		}
	}
}

fn memory_error(error: MemoryError) -> DeviceError {
	match error {
		MemoryError::OutOfMemory { .. } | MemoryError::OutOfAddresses => {
			DeviceError::OutOfMemory(error.to_string())
		}
		misuse => DeviceError::Lost(misuse.to_string()),
	}
}

/// Runs all blocks, with the result of running them in the order of their index, x fastest.
fn run_grid(
	module: &Module,
	launch: &KernelLaunch,
	machine: &mut Machine,
	watch: &Watch,
) -> Result<(), LaunchError> {
	let Machine { memory, budget } = machine;
	let mut tell = |blocks| {
		watch.blocks_done.store(blocks, Relaxed);
		if watch.cancelled.load(Relaxed) {
			ControlFlow::Break(())
		} else {
			ControlFlow::Continue(())
		}
	};
	let count = thread::available_parallelism().map_or(1, |count| count.get().min(MAX_THREADS));
	let threads = HostThreads { count, watch: &mut tell };
	let KernelLaunch { entry, config, arguments } = launch;
	launch_on(threads, module, entry, config, arguments, memory, budget).map(|_| ())
}

impl Device for ReferenceDevice {
	fn info(&self) -> &DeviceInfo {
		&self.info
	}

	fn load(&mut self, ptx: &str) -> Result<(), DeviceError> {
		let module = Module::parse(ptx).map_err(|error| DeviceError::KernelRejected(error.to_string()))?;
		self.module = Some(Arc::new(module));
		Ok(())
	}

	fn alloc(&mut self, bytes: u64) -> Result<Pointer, DeviceError> {
		self.machine()?.memory.alloc(bytes).map_err(memory_error)
	}

	fn write(&mut self, pointer: Pointer, data: &[u8]) -> Result<(), DeviceError> {
		self.machine()?.memory.write(pointer, data).map_err(memory_error)
	}

	fn read(&mut self, pointer: Pointer, bytes: u64) -> Result<Vec<u8>, DeviceError> {
		self.machine()?.memory.read(pointer, bytes).map_err(memory_error)
	}

	fn start(&mut self, launch: &KernelLaunch) -> Result<(), DeviceError> {
		self.machine()?;
		let module = self.module.clone().ok_or_else(|| DeviceError::Lost("no module is loaded".into()))?;
		let State::Idle(mut machine) = std::mem::replace(&mut self.state, State::Gone) else { return Ok(()) };
		let watch = Arc::new(Watch::default());
		let (launch, shared) = (launch.clone(), watch.clone());
		let thread = thread::Builder::new()
			.name("reference-device".into())
			.spawn(move || run_grid(&module, &launch, &mut machine, &shared).map(|()| machine))
			.map_err(|error| DeviceError::Lost(format!("no thread for the launch: {error}")))?;
		self.state = State::Running(Running { thread, watch });
		Ok(())
	}

	fn poll(&mut self) -> Result<Status, DeviceError> {
		let running = match std::mem::replace(&mut self.state, State::Gone) {
			State::Running(running) => running,
			State::Idle(machine) => {
				self.state = State::Idle(machine);
				return Ok(Status::Idle);
			}
			State::Gone => return Err(DeviceError::Lost("the device was used after a launch failed".into())),
		};
		if !running.thread.is_finished() {
			let blocks = Some(running.watch.blocks_done.load(Relaxed));
			self.state = State::Running(running);
			return Ok(Status::Running { blocks });
		}
		let ended =
			running.thread.join().map_err(|_| DeviceError::Lost("the interpreter panicked".into()))?;
		self.state = State::Idle(ended.map_err(|error| self.launch_error(error))?);
		Ok(Status::Idle)
	}
}

impl Drop for ReferenceDevice {
	/// Lets a launch end at its next block. It is not waited for: one block may run until the steps are used up.
	fn drop(&mut self) {
		if let State::Running(running) = &self.state {
			running.watch.cancelled.store(true, Relaxed);
		}
	}
}
