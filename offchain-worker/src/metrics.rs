//! Prometheus metrics of the worker, in the node's registry.

use crate::{Telemetry, LOG_TARGET};
use millrace_primitives::Hash;
use std::time::Duration;
use substrate_prometheus_endpoint::{
	register, Counter, CounterVec, Gauge, GaugeVec, Opts, PrometheusError, Registry, F64, U64,
};

/// The metrics, or nothing when the node has no registry.
#[derive(Clone)]
pub(crate) struct Metrics(Option<Registered>);

#[derive(Clone)]
struct Registered {
	gpus: GaugeVec<U64>,
	leases: Gauge<U64>,
	jobs: CounterVec<U64>,
	busy: Counter<F64>,
	reports: CounterVec<U64>,
	blob_bytes: Gauge<U64>,
	checkpoints: Counter<U64>,
	bids: CounterVec<U64>,
	temperature: GaugeVec<U64>,
	power: GaugeVec<U64>,
	energy: GaugeVec<F64>,
	xids: CounterVec<U64>,
}

impl Metrics {
	/// Registers the metrics. A worker without metrics works as well, so a failure is only logged.
	pub(crate) fn new(registry: Option<&Registry>) -> Self {
		let registered = registry.and_then(|registry| {
			Registered::new(registry)
				.map_err(|error| log::warn!(target: LOG_TARGET, "no metrics of the worker: {error}"))
				.ok()
		});
		Self(registered)
	}

	/// Devices by state.
	pub(crate) fn gpus(&self, probing: u64, healthy: u64, faulty: u64) {
		if let Some(metrics) = &self.0 {
			for (state, count) in [("probing", probing), ("healthy", healthy), ("faulty", faulty)] {
				metrics.gpus.with_label_values(&[state]).set(count);
			}
		}
	}

	/// Leases to serve.
	pub(crate) fn leases(&self, count: u64) {
		if let Some(metrics) = &self.0 {
			metrics.leases.set(count);
		}
	}

	/// A job ended with a result.
	pub(crate) fn job_ended(&self, outcome: &str, busy: Duration) {
		if let Some(metrics) = &self.0 {
			metrics.jobs.with_label_values(&[outcome]).inc();
			metrics.busy.inc_by(busy.as_secs_f64());
		}
	}

	/// A report became final, was lost, or could not be submitted.
	pub(crate) fn report(&self, result: &str) {
		if let Some(metrics) = &self.0 {
			metrics.reports.with_label_values(&[result]).inc();
		}
	}

	/// Bytes of blobs on disk.
	pub(crate) fn blob_bytes(&self, bytes: u64) {
		if let Some(metrics) = &self.0 {
			metrics.blob_bytes.set(bytes);
		}
	}

	/// A checkpoint was stored.
	pub(crate) fn checkpoint_stored(&self) {
		if let Some(metrics) = &self.0 {
			metrics.checkpoints.inc();
		}
	}

	/// What the driver says of a GPU, which is named by its salted UUID hash.
	pub(crate) fn telemetry(&self, gpu: &Hash, telemetry: &Telemetry) {
		let Some(metrics) = &self.0 else { return };
		let gpu = format!("{gpu:?}");
		for (gauge, value) in
			[(&metrics.temperature, telemetry.temperature_c), (&metrics.power, telemetry.power_w)]
		{
			if let Some(value) = value {
				gauge.with_label_values(&[&gpu]).set(value.into());
			}
		}
		if let Some(energy) = telemetry.energy_mj {
			// Joules of a GPU's whole life are far below what a float holds exactly.
			metrics.energy.with_label_values(&[&gpu]).set(energy as f64 / 1_000.0);
		}
	}

	/// A GPU has reported an error.
	pub(crate) fn xid(&self, code: u64) {
		if let Some(metrics) = &self.0 {
			metrics.xids.with_label_values(&[&code.to_string()]).inc();
		}
	}

	/// A bid was sent, was lost on its way, or was refused by the chain.
	pub(crate) fn bid(&self, result: &str) {
		if let Some(metrics) = &self.0 {
			metrics.bids.with_label_values(&[result]).inc();
		}
	}
}

impl Registered {
	fn new(registry: &Registry) -> Result<Self, PrometheusError> {
		let opts = |name: &str, help: &str| Opts::new(format!("millrace_worker_{name}"), help);
		let gauge = |name: &str, help: &str| register(GaugeVec::new(opts(name, help), &["gpu"])?, registry);
		Ok(Self {
			temperature: gauge(
				"gpu_temperature_celsius",
				"Temperature of a GPU's chip, by its salted UUID hash",
			)?,
			power: gauge("gpu_power_watts", "Power that a GPU draws")?,
			energy: register(
				GaugeVec::new(
					opts("gpu_energy_joules", "Energy that a GPU took since its driver was loaded"),
					&["gpu"],
				)?,
				registry,
			)?,
			xids: register(
				CounterVec::new(
					opts("gpu_xids_total", "Errors that the GPUs' driver reported, by Xid"),
					&["xid"],
				)?,
				registry,
			)?,
			gpus: register(GaugeVec::new(opts("gpus", "Devices found, by state"), &["state"])?, registry)?,
			leases: register(Gauge::with_opts(opts("leases", "Leases to serve"))?, registry)?,
			jobs: register(
				CounterVec::new(opts("jobs_total", "Jobs that ended, by outcome"), &["outcome"])?,
				registry,
			)?,
			busy: register(
				Counter::with_opts(opts("busy_seconds_total", "Time during which kernels ran"))?,
				registry,
			)?,
			reports: register(
				CounterVec::new(
					opts("reports_total", "Reports: final, lost, or refused by the pool"),
					&["result"],
				)?,
				registry,
			)?,
			blob_bytes: register(Gauge::with_opts(opts("blob_bytes", "Bytes of blobs on disk"))?, registry)?,
			checkpoints: register(
				Counter::with_opts(opts("checkpoints_total", "Checkpoints of jobs that were stored"))?,
				registry,
			)?,
			bids: register(
				CounterVec::new(
					opts("bids_total", "Bids: sent, lost on their way, or refused by the chain"),
					&["result"],
				)?,
				registry,
			)?,
		})
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn metrics_are_in_the_registry_under_their_names() {
		let registry = Registry::new();
		let metrics = Metrics::new(Some(&registry));
		metrics.gpus(1, 2, 3);
		metrics.leases(4);
		metrics.job_ended("succeeded", Duration::from_millis(1500));
		metrics.report("final");
		metrics.blob_bytes(5);
		metrics.checkpoint_stored();
		metrics.bid("sent");
		let telemetry = Telemetry {
			temperature_c: Some(60),
			power_w: Some(310),
			energy_mj: Some(1),
			..Telemetry::default()
		};
		metrics.telemetry(&Hash::zero(), &telemetry);
		metrics.xid(79);
		let families = registry.gather();
		let names: Vec<_> = families.iter().map(|family| family.get_name()).collect();
		let expected = [
			"bids_total",
			"blob_bytes",
			"busy_seconds_total",
			"checkpoints_total",
			"gpu_energy_joules",
			"gpu_power_watts",
			"gpu_temperature_celsius",
			"gpu_xids_total",
			"gpus",
			"jobs_total",
			"leases",
			"reports_total",
		];
		assert_eq!(names, expected.map(|name| format!("millrace_worker_{name}")));
		assert_eq!(families[2].get_metric()[0].get_counter().get_value(), 1.5);
		// A second worker in one process has no metrics but works.
		Metrics::new(Some(&registry)).leases(1);
	}
}
